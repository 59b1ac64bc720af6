/** What can be done without a running relay: from its secrets and its ledger. For the command line. */

export type { IceServers } from './credentials/ice-servers.ts'
export { iceServersFor } from './credentials/ice-servers.ts'
export { isAppName } from './credentials/username.ts'
export { monthEnd, monthStart } from './ledger/calendar.ts'
export { chosenPrice } from './ledger/chosen-price.ts'
export { LEDGER_FILE, openLedgerReader } from './ledger/schema.ts'
export { type GroupKey, groupKeys, queryUsage, type UsageReport, type UsageRow } from './ledger/usage.ts'
export { detectAddresses } from './net/detect.ts'
export { hostSurroundings } from './net/surroundings.ts'
