import type { Case } from '../case.ts'
import { allocate } from './allocate.ts'
import { authentication } from './authentication.ts'
import { channels } from './channels.ts'
import { families } from './families.ts'
import { mobility } from './mobility.ts'
import { permissions } from './permissions.ts'
import { refresh } from './refresh.ts'
import { streams } from './streams.ts'
import { stun } from './stun.ts'

/** Every case, in the order of the RFCs. */
export const CASES: readonly Case[] = [
  stun,
  authentication,
  allocate,
  refresh,
  permissions,
  channels,
  streams,
  families,
  mobility,
].flatMap((section) => {
  const cases: Case[] = []
  section((name, run, needs) => cases.push({ name, run, ...needs }))
  return cases
})
