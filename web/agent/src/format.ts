import type { AgentCall, AgentCallEnd, AgentEndReason, Caller, CallPermission } from '@hairpin/client'

export function callerText({ name, number }: Caller): string {
  return name ?? numberText(number) ?? 'Unknown caller'
}

/** `+491701234567` */
export function numberText(number: string | undefined): string | undefined {
  return number === undefined ? undefined : `+${number}`
}

/** Where a call stands, in the words of what is known: nothing is called answered before WhatsApp says so. */
export function stateText(call: AgentCall): string {
  if (call.restoring) return 'This call is on another of your devices.'
  if (call.media === 'lost') return 'The path was lost. Looking for another…'
  switch (call.state) {
    case 'incoming':
      return 'Is calling'
    case 'taking':
      return 'Connecting…'
    case 'calling':
      return 'Calling…'
    case 'ringing':
      return 'The customer’s phone rings…'
    case 'ended':
      return 'Over'
    default:
      if (call.held) return 'On hold: the customer hears silence'
      return call.media === 'connected' ? 'Connected' : 'Answered. Connecting the sound…'
  }
}

/** Why a call is over, told to its agent. */
export function endText(who: string, { reason, by, text }: AgentCallEnd): string {
  const words = reasons[reason](who, by)
  return text === undefined || reason === 'refused' ? (text ?? words) : `${words} ${text}`
}

/** One or two words for the list of past calls. */
export function outcomeText(reason: AgentEndReason, talked: boolean): string {
  return talked ? (afterwards[reason] ?? 'Talked') : (outcomes[reason] ?? 'Failed')
}

const reasons: Readonly<Record<AgentEndReason, (who: string, by: AgentCallEnd['by']) => string>> = {
  'customer-hung-up': (who) => `${who} hung up.`,
  rejected: (who) => `${who} declined.`,
  'agent-hung-up': (_, by) => (by === 'local' ? 'Call ended.' : 'The call was ended here.'),
  declined: (who, by) => (by === 'local' ? `You declined ${who}’s call.` : `Everybody declined ${who}’s call.`),
  'no-answer': () => 'Nobody answered.',
  'agent-lost': () => 'The call was ended: this page was gone for too long.',
  'no-media': (who) => `Nothing was heard of ${who} for too long.`,
  busy: () => 'There are as many calls as this server takes.',
  stopped: () => 'The service for calls was stopped.',
  failed: () => 'The call failed.',
  'answered-elsewhere': (who) => `${who}’s call was taken elsewhere.`,
  'ring-stopped': (who) => `${who}’s call rings here no more.`,
  transferred: (who) => `${who}’s call was handed over.`,
  refused: () => 'The server refused the call.',
  'connect-failed': () => 'No path to the server’s media was found. A firewall may block it.',
  'connection-lost': () => 'The connection was lost.',
  'negotiation-failed': () => 'The browser and the server could not agree on how to talk.',
  'hang-up': () => 'Call ended.',
  cancelled: () => 'Call cancelled.',
  offline: (who) => `${who} cannot be reached.`,
  disconnected: () => 'The connection was lost.',
}

const outcomes: Partial<Record<AgentEndReason, string>> = {
  'customer-hung-up': 'Missed',
  rejected: 'Declined by the customer',
  'agent-hung-up': 'Cancelled',
  declined: 'Declined',
  'no-answer': 'No answer',
  'answered-elsewhere': 'Taken elsewhere',
  busy: 'Busy',
  refused: 'Refused',
}

/** Of calls that were talked in. */
const afterwards: Partial<Record<AgentEndReason, string>> = {
  transferred: 'Handed over',
  'agent-lost': 'Lost',
  'no-media': 'Lost',
  'connection-lost': 'Lost',
  failed: 'Lost',
}

/** Day and time where the day is another one. */
export function timeText(at: number, now = Date.now()): string {
  const date = new Date(at)
  const time = date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })
  const isToday = date.toDateString() === new Date(now).toDateString()
  return isToday ? time : `${date.toLocaleDateString([], { day: 'numeric', month: 'short' })}, ${time}`
}

/** May this customer be called, and until when, or again when. */
export function permissionText(permission: CallPermission, now = Date.now()): string {
  const { status, mayCall, mayCallAt, expiresAt, event } = permission
  const allowed =
    status === 'permanent'
      ? 'The customer allows calls.'
      : expiresAt === undefined
        ? 'The customer allows calls for a time.'
        : `The customer allows calls until ${timeText(expiresAt, now)}.`
  if (status === 'none') {
    if (event === 'rejected') return 'The customer does not allow calls.'
    return event === 'requested'
      ? 'Asked. The customer answers in WhatsApp; the answer appears here.'
      : 'The customer has not allowed calls.'
  }
  if (mayCall) return allowed
  return mayCallAt === undefined
    ? `${allowed} No call is possible now.`
    : `${allowed} The next call is possible at ${timeText(mayCallAt, now)}.`
}
