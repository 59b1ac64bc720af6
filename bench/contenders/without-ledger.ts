/** The relay's engine alone, started as `hairpin-no-ledger`: nobody counts usage, and there is no API. */
import { createServer } from 'node:http'
import { loadConfig, loadSecrets } from '@hairpin/config'
import { createLogger } from '@hairpin/http'
import { createEngine } from '../../services/turn/src/engines/index.ts'
import { detectAddresses } from '../../services/turn/src/net/detect.ts'
import { claimPorts } from '../../services/turn/src/net/listen-port.ts'
import { hostSurroundings } from '../../services/turn/src/net/surroundings.ts'

const config = loadConfig(process.env)
const { warnings: _, ...detected } = await detectAddresses(config, hostSurroundings())
const addresses = { ...detected, ...(await claimPorts(config.turn, detected.listen)) }
const engine = await createEngine({
  config,
  addresses,
  secrets: loadSecrets(config),
  logger: createLogger(config.logLevel),
})
await engine.start()
process.on('SIGTERM', async () => {
  await engine.stop()
  process.exit(0)
})
createServer((_request, response) => response.end('{"status":"ready"}')).listen(config.admin.port, config.admin.host)
