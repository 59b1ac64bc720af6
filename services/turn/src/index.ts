/** The relay as the rest of Hairpin sees it: STUN/TURN, time-limited credentials, metrics. */
import { join } from 'node:path'
import { type Config, livePolicies, rereadSecrets, type Secrets, secretsPath } from '@hairpin/config'
import { TokenKeys } from '@hairpin/tokens'
import type { FastifyBaseLogger, FastifyPluginAsync } from 'fastify'
import type { Registry } from 'prom-client'
import { openApps } from './apps/live.ts'
import { appOrigins } from './apps/origins.ts'
import { rulesOf } from './apps/table.ts'
import { parseBudgets } from './budgets/parse.ts'
import { BudgetService } from './budgets/service.ts'
import { Webhooks } from './budgets/webhooks.ts'
import type { IceServers, IceServersRequest } from './credentials/ice-servers.ts'
import { LiveSecrets } from './credentials/live-secrets.ts'
import { RevocationFile } from './credentials/revocations.ts'
import { BandwidthHistory } from './dashboard/history.ts'
import { dashboard } from './dashboard/http.ts'
import { drainEngine } from './drain.ts'
import type { RelayEngine } from './engine.ts'
import { createEngine } from './engines/index.ts'
import { adminApi } from './http/admin.ts'
import { adminApps } from './http/admin-apps.ts'
import { publicApi } from './http/api.ts'
import { appIssuer } from './http/app-issuer.ts'
import { KeyRing } from './http/key-ring.ts'
import type { Budget } from './ledger/budget.ts'
import { LedgerService } from './ledger/service.ts'
import { LiveConfig, type SettingsSource } from './live-config.ts'
import { registerRelayMetrics } from './metrics/register.ts'
import { AddressWatch } from './net/address-watch.ts'
import type { RelayAddress, ServerAddresses } from './net/addresses.ts'
import { detectAddresses } from './net/detect.ts'
import { discoveryAddresses } from './net/discovery-addresses.ts'
import { claimPorts } from './net/listen-port.ts'
import { type CertificateFiles, certificateDoubts, loadCertificate } from './net/streams/certificate.ts'
import { hostSurroundings, type Surroundings } from './net/surroundings.ts'

export type { IceServer, IceServers, IceServersRequest } from './credentials/ice-servers.ts'
export { mintCredential, passwordFor, type TurnCredential } from './credentials/mint.ts'
export { stopSeconds } from './drain.ts'
export type { RelayEngine, Sample } from './engine.ts'
export type { SettingsSource } from './live-config.ts'
export type { AddressSource, RelayAddress, ServerAddresses } from './net/addresses.ts'
export { ListenError } from './net/listen-port.ts'

export interface TurnServiceOptions {
  readonly config: Config
  readonly secrets: Secrets
  /** Where `config` comes from, if it can be read again. */
  readonly settings?: SettingsSource
  readonly logger: FastifyBaseLogger
  readonly registry: Registry
  /** The host and its network; another one in tests. */
  readonly surroundings?: Surroundings
}

export interface TurnService {
  /**
   * Chooses addresses and opens the sockets.
   * @throws ConfigError naming the variable; ListenError (one of them) has a `code` such as TURN_PORT_IN_USE.
   */
  start(): Promise<void>
  /** Reads settings and secrets again, without waiting for the next look at their files. */
  reload(): void
  /** Not ready from now on and takes no new allocations; resolves when none is left or HAIRPIN_DRAIN_SECONDS have passed. */
  drain(): Promise<void>
  /** Ends every allocation, closes every socket and writes the ledger. */
  stop(): Promise<void>
  ready(): boolean
  /** Mints a credential. Only after `start`: the URLs name the address and port that were chosen. */
  iceServersFor(request: IceServersRequest): IceServers
  /** The public HTTP API: credentials in every shape, their revocation, `GET /api/v1/usage`, `/docs`. */
  readonly apiPlugin: FastifyPluginAsync
  /** `/admin/allocations` and `/admin/apps`, for the admin port. */
  readonly adminPlugin: FastifyPluginAsync
  /** What was chosen and why; only after `start`. */
  readonly addresses: ServerAddresses
}

/** @throws ConfigError naming HAIRPIN_PRICES or HAIRPIN_BUDGETS */
export function createTurnService(options: TurnServiceOptions): TurnService {
  const { config, logger } = options
  const live = new LiveConfig(config, options.settings, {
    changed({ turn }, { live: changed, fixed }) {
      engine?.setPolicies(livePolicies(turn))
      if (changed.length > 0) logger.info({ code: 'TURN_SETTINGS_RELOADED', changed }, 'settings read again')
      if (fixed.length > 0)
        logger.warn(
          { code: 'TURN_SETTINGS_NEED_RESTART', changed: fixed },
          `${fixed.join(', ')}: from the next start on`,
        )
      secrets.reload()
    },
    failed({ message }) {
      logger.error({ code: 'TURN_SETTINGS_REJECTED' }, `${message}; the former settings stay in force`)
    },
  })
  const secrets = new LiveSecrets(options.secrets, secretsPath(config), () => rereadSecrets(live.current), {
    changed({ turnSecrets }) {
      engine?.setTurnSecrets(turnSecrets)
      logger.info({ code: 'TURN_SECRETS_RELOADED' }, 'secrets and API keys read again')
    },
    failed({ message }) {
      logger.error({ code: 'TURN_SECRETS_REJECTED' }, `${message}; the former secrets stay in force`)
    },
  })
  const revocations = new RevocationFile(join(config.dataDir, 'revoked.json'), Date.now())
  const history = new BandwidthHistory()
  const ledger: LedgerService = new LedgerService({
    config,
    log: logger,
    onTotals(totals) {
      budgets.observe(totals)
      history.observe(totals)
    },
  })
  const apps = openApps(config.dataDir, logger)
  apps.onChange((all) => {
    engine?.setApps(rulesOf(all))
    budgets.set(allBudgets())
  })
  const webhooks = new Webhooks({
    path: join(config.dataDir, 'webhooks.json'),
    targetOf: (app) => apps.get(app)?.webhook ?? config.budgetWebhook,
    log: logger,
  })
  const budgets = new BudgetService({
    budgets: allBudgets(),
    log: logger,
    webhooks,
    remember: (keys) => ledger.addMarks(keys),
    enforce: (standings) => engine?.enforce(standings),
  })
  const issuer = appIssuer({ config, secrets, apps, revoked: revocations.revoked, addresses: chosen })
  let addresses: ServerAddresses | undefined
  let engine: RelayEngine | undefined
  let watch: AddressWatch | undefined
  let ready = false

  function allBudgets(): Budget[] {
    const settings = parseBudgets(config.budgets, ledger.price.currency)
    return [...settings, ...apps.list().flatMap(({ id, budgets }) => budgets.map((budget) => ({ ...budget, app: id })))]
  }

  function chosen(): ServerAddresses {
    if (!addresses) throw new Error('the relay has not been started')
    return addresses
  }

  function watchAddresses(detect: () => Promise<readonly RelayAddress[]>): AddressWatch {
    return new AddressWatch({
      first: chosen().relay,
      interval: config.turn.addressCheck,
      detect,
      changed(relay, what) {
        addresses = { ...chosen(), relay }
        engine?.setRelayAddresses(relay)
        logger.warn({ code: 'TURN_ADDRESS_CHANGED' }, `advertised address changed from ${what}`)
      },
      stranded(what) {
        logger.error(
          { code: 'TURN_ADDRESS_LOST' },
          `this host went from ${what}, where the relay does not listen: restart it`,
        )
      },
    })
  }

  function revoke(username: string): void {
    if (!revocations.revoked.add(username, Date.now())) return
    engine?.revoke(username)
    revocations.save()
    logger.info({ username, code: 'TURN_CREDENTIAL_REVOKED' }, 'credential revoked')
  }

  /** The workers read the files themselves; what is wrong with them is told here, before any starts. */
  function checkCertificate(files: CertificateFiles): void {
    if (config.turn.engine === 'node-turn') {
      logger.warn({ code: 'TURN_CERTIFICATE_DOUBTFUL' }, 'the node-turn engine does not speak TLS')
      return
    }
    for (const doubt of certificateDoubts(loadCertificate(files), config.turn.host, Date.now()))
      logger.warn({ code: 'TURN_CERTIFICATE_DOUBTFUL' }, doubt)
  }

  registerRelayMetrics(options.registry, async () => [
    ...((await engine?.snapshot()) ?? []),
    ...ledger.samples(),
    { name: 'hairpin_external_address_changes_total', labels: {}, value: watch?.changes ?? 0 },
    ...budgets.samples(),
  ])

  return {
    async start() {
      const surroundings = options.surroundings ?? hostSurroundings()
      const { warnings, ...detected } = await detectAddresses(config, surroundings)
      if (config.turn.tls) checkCertificate(config.turn.tls)
      const ports = await claimPorts(config.turn, detected.listen)
      const discovery = discoveryAddresses(config.turn, detected.listen)
      addresses = { ...detected, ...ports, ...(discovery && { discovery }) }
      for (const { external, local, source, why } of addresses.relay)
        logger.info({ external, local, source, why }, 'relay address chosen')
      for (const warning of warnings) logger.warn({ code: 'TURN_ADDRESS_DOUBTFUL' }, warning)
      budgets.begin(await ledger.start())
      engine = await createEngine({
        config,
        addresses,
        secrets,
        apps: rulesOf(apps.list()),
        logger,
        usage: ledger,
        revoked: revocations.revoked,
        standings: budgets.standings,
      })
      await engine.start().catch(async (error) => {
        await ledger.close()
        throw error
      })
      secrets.watch()
      live.watch()
      watch = watchAddresses(async () => (await detectAddresses(config, surroundings)).relay)
      watch.start()
      ready = true
      const { listen, port, tcpPort, tlsPort } = addresses
      logger.info(
        { engine: engine.name, listen, port, tcpPort, tlsPort, workers: config.turn.workers },
        'relay listens',
      )
    },

    reload() {
      live.reload()
      secrets.reload()
    },

    async drain() {
      ready = false
      if (engine) await drainEngine(engine, live.current.turn.drain, logger)
    },

    async stop() {
      ready = false
      watch?.close()
      live.close()
      secrets.close()
      apps.close()
      await engine?.stop()
      await ledger.close()
      webhooks.close()
    },

    ready: () => ready,
    iceServersFor: (request) => issuer.iceServersFor(request),
    apiPlugin: publicApi({
      price: ledger.price,
      issuer,
      keys: new KeyRing({ secrets, apps }),
      tokens: new TokenKeys(config.identity),
      rates: config.credentials.rates,
      origins: appOrigins(apps, config.signaling.origins),
      usage: ledger,
      revoke,
    }),
    adminPlugin: adminApi(
      () => engine,
      adminApps(apps, (app) => issuer.boundsOf(app).max),
      dashboard({
        usage: ledger,
        now: async () => ({
          price: ledger.price,
          totals: ledger.totals,
          ledgerUp: ledger.up,
          bandwidth: history.points(),
          samples: (await engine?.snapshot()) ?? [],
          measured: budgets.measured,
          standings: budgets.standings,
        }),
      }),
    ),
    get addresses() {
      return chosen()
    },
  }
}
