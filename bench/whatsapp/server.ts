/** The bridges under test, in a process of their own: told of calls, asked for its memory, ended by its parent. */
import { Bridge } from '../../services/whatsapp/src/media/bridge.ts'
import type { FromServer, ToServer } from './protocol.ts'
import { legsOf, type StackName } from './stacks.ts'

const [stack = '', address = ''] = process.argv.slice(2)
const newLeg = await legsOf(stack as StackName, address)
const bridges: Bridge[] = []

process.on('message', (message: ToServer) => {
  if (message.do === 'connect') void connect(message)
  else {
    for (const bridge of bridges) bridge.close()
    process.disconnect()
    process.exit()
  }
})
// However the parent ends.
process.on('disconnect', () => process.exit())
tell({ is: 'ready' })

async function connect({ call, customer, agent }: Extract<ToServer, { do: 'connect' }>): Promise<void> {
  const bridge = new Bridge({ newLeg, onHeard() {}, onAgentHeard() {}, onLost() {}, now: Date.now })
  bridges.push(bridge)
  const toCustomer = await bridge.describe(customer)
  const toAgent = await bridge.connectAgent('agent', agent)
  bridge.start()
  bridge.open('agent')
  tell({ is: 'connected', call, customer: toCustomer, agent: toAgent })
}

function tell(message: FromServer): void {
  process.send?.(message)
}
