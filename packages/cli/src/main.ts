/** `npx hairpin <command>`. */
import { ConfigError } from '@hairpin/config'
import { apps } from './apps.ts'
import { type DoctorResult, doctor } from './doctor.ts'
import { mint } from './mint.ts'
import { UsageError } from './options.ts'
import { usage } from './usage.ts'

type Answer = string | DoctorResult

const commands: Readonly<Record<string, (args: readonly string[]) => Answer | Promise<Answer>>> = {
  apps,
  doctor: (args) => doctor(args),
  mint,
  usage,
  // Its WebRTC stack is for demos and tests: the images do not have it.
  'whatsapp-sim': async (args) => (await import('./whatsapp-sim.ts')).whatsappSim(args),
}

const help = `usage: hairpin <command>

  apps list             the apps (tenants), their keys, secrets and limits; also:
       show APP · add APP · set APP · remove APP · key add APP · key revoke APP KEY
       secret rotate APP · secret remove APP ID · webhook-secret APP · help
  doctor --url URL      the connectivity check: signaling, credentials, STUN, TURN by UDP, TCP and TLS, a relayed loop;
       [--api-key KEY | --token TOKEN] [--json] [--log] · --help; on the server itself also its firewall's rules
  mint --user NAME      TURN credentials and an iceServers block, from the secret alone
       [--app demo] [--ttl SECONDS] [--secret SECRET] [--host HOST] [--port 3478]
  whatsapp-sim          stands in for WhatsApp: customers who call, and can be called, without Meta · --help
  usage --month         what was relayed in a month, and what it cost
       [--month YYYY-MM] [--by app|user|day|hour|transport,…] [--app APP] [--json]
  usage --whatsapp      the month's WhatsApp calls by agent and outcome [--month YYYY-MM] [--json]

Settings are those of the services: HAIRPIN_DATA_DIR, HAIRPIN_PRICES and others of .env.example.`

const [name = 'help', ...args] = process.argv.slice(2)
try {
  if (['help', '--help', '-h'].includes(name)) console.log(help)
  else if (Object.hasOwn(commands, name)) tell(await commands[name]!(args))
  else throw new UsageError(`there is no command "${name}"\n\n${help}`)
} catch (error) {
  // What the caller can mend is told in a line; anything else is ours and keeps its stack.
  if (!(error instanceof UsageError || error instanceof ConfigError)) throw error
  console.error(`hairpin: ${error.message}`)
  process.exitCode = error instanceof UsageError ? 2 : 1
}

function tell(answer: Answer): void {
  const { text, exitCode } = typeof answer === 'string' ? { text: answer, exitCode: 0 } : answer
  console.log(text)
  process.exitCode = exitCode
}
