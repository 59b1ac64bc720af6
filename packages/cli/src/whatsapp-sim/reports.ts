/** Tells at the terminal what happens at the simulated side. */
import type { SimulatedCall, Simulator } from '@hairpin/whatsapp-simulator'

const who = ({ name, number }: SimulatedCall) => (name === undefined ? `+${number}` : `${name} (+${number})`)

export function report(simulator: Simulator, say: (line: string) => void): void {
  simulator.on((event) => {
    switch (event.type) {
      case 'pre-accepted':
        return say(`the business has ${who(event.call)}’s call, and rings at its agents`)
      case 'answered':
        return say(`${who(event.call)} talks to the business: plays a melody, then says back what it hears`)
      case 'business-calls':
        return say(`the business calls ${who(event.call)}`)
      case 'permission-asked':
        return say(`the business asks +${event.number} for permission to call: "${printable(event.text)}"`)
      case 'ended':
        return say(ending(event.call))
      case 'violation':
        return say(`! the business broke a rule: ${event.violation.rule}: ${printable(event.violation.detail)}`)
      case 'request':
        if (event.status !== 200) say(`${event.kind}: refused with HTTP ${event.status}, code ${event.code}`)
    }
  })
}

function ending(call: SimulatedCall): string {
  const { media, endCode } = call
  const heard = media ? `; ${media.packets} packets and ${media.reports} reports came` : ''
  return `the call of ${who(call)} is over${endCode === undefined ? '' : ` (code ${endCode})`}${heard}`
}

/** Without what a terminal would act on. */
function printable(text: string): string {
  return text.slice(0, 300).replace(/\p{C}/gu, '?')
}
