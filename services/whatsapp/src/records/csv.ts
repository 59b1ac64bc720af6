import { csvField } from '@hairpin/http'
import type { CallsReport } from './query.ts'

const columns = ['id', 'direction', 'number', 'customer', 'agent', 'started', 'answered', 'ended', 'seconds'] as const

/** Records by RFC 4180: header, then one line for each call, each ended by CRLF. UTF-8. */
export function callsCsv({ calls }: CallsReport): string {
  const header = [
    ...columns,
    'outcome',
    'cause',
    'to_agent_packets',
    'to_agent_bytes',
    'to_whatsapp_packets',
    'to_whatsapp_bytes',
  ]
  const lines = calls.map((call) =>
    [
      ...columns.map((name) => call[name]),
      call.outcome,
      call.cause,
      call.toAgent.packets,
      call.toAgent.bytes,
      call.toWhatsapp.packets,
      call.toWhatsapp.bytes,
    ]
      .map(csvField)
      .join(','),
  )
  return [header.join(','), ...lines].map((line) => `${line}\r\n`).join('')
}
