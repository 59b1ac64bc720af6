/** The relay's metrics, defined once; docs/METRICS.md describes them and test/metrics.test.ts compares the two. */

export interface MetricDefinition {
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly labels: readonly string[]
}

export const relayMetrics: readonly MetricDefinition[] = [
  {
    name: 'hairpin_relay_bytes_total',
    type: 'counter',
    help: 'Application payload relayed, in bytes, without STUN, ChannelData, UDP and IP framing.',
    labels: ['direction', 'transport', 'app'],
  },
  {
    name: 'hairpin_relay_packets_total',
    type: 'counter',
    help: 'Datagrams of application payload relayed.',
    labels: ['direction', 'transport', 'app'],
  },
  {
    name: 'hairpin_relay_egress_bytes_total',
    type: 'counter',
    help: 'Bytes of relayed datagrams leaving this host, to clients and to peers, with TURN, UDP and IP headers.',
    labels: ['app'],
  },
  {
    name: 'hairpin_allocations',
    type: 'gauge',
    help: 'Allocations that are live now.',
    labels: ['transport', 'family', 'app'],
  },
  {
    name: 'hairpin_allocations_total',
    type: 'counter',
    help: 'Allocations made since the start.',
    labels: ['transport', 'family', 'app'],
  },
  {
    name: 'hairpin_allocation_seconds',
    type: 'histogram',
    help: 'How long allocations lived, in seconds, counted at their end.',
    labels: [],
  },
  {
    name: 'hairpin_allocation_moves_total',
    type: 'counter',
    help: 'Moves of clients that took their allocation to another address or transport (RFC 8016).',
    labels: [],
  },
  {
    name: 'hairpin_stun_requests_total',
    type: 'counter',
    help: 'STUN and TURN requests answered; code 200 is success, others are STUN error codes.',
    labels: ['method', 'transport', 'code'],
  },
  {
    name: 'hairpin_dropped_total',
    type: 'counter',
    help: 'Datagrams dropped, by reason.',
    labels: ['reason'],
  },
  {
    name: 'hairpin_handovers_total',
    type: 'counter',
    help: 'Packets of clients that one worker received and handed over to the worker that has their allocation.',
    labels: [],
  },
  {
    name: 'hairpin_auth_failures_total',
    type: 'counter',
    help: 'Requests refused for their credentials, by reason.',
    labels: ['reason'],
  },
  {
    name: 'hairpin_client_connections',
    type: 'gauge',
    help: 'Open TCP and TLS connections of clients.',
    labels: ['transport'],
  },
  {
    name: 'hairpin_client_connections_refused_total',
    type: 'counter',
    help: 'TCP and TLS connections that the relay refused or closed for what they did, by reason.',
    labels: ['reason'],
  },
  {
    name: 'hairpin_tcp_relay_allocations',
    type: 'gauge',
    help: 'Allocations with a relayed transport address of TCP that are live now.',
    labels: [],
  },
  {
    name: 'hairpin_tcp_relay_connections',
    type: 'gauge',
    help: 'Connections with peers of TCP allocations, by state.',
    labels: ['state'],
  },
  {
    name: 'hairpin_tls_certificate_expiry_timestamp_seconds',
    type: 'gauge',
    help: 'When the TLS certificate in use expires, in seconds since the epoch.',
    labels: [],
  },
  {
    name: 'hairpin_relay_cost_total',
    type: 'counter',
    help: 'What relayed bytes cost since the start, by the price of HAIRPIN_PRICES; absent while that is unknown.',
    labels: ['app', 'currency'],
  },
  {
    name: 'hairpin_relay_cost',
    type: 'gauge',
    help: 'Cost of the day or the month so far, by the ledger.',
    labels: ['app', 'period', 'currency'],
  },
  {
    name: 'hairpin_relay_billable_bytes',
    type: 'gauge',
    help: 'Bytes of the day or the month so far that the price counts, by the ledger.',
    labels: ['app', 'period'],
  },
  {
    name: 'hairpin_relay_cost_forecast',
    type: 'gauge',
    help: 'Cost of the whole month if it goes on like its part so far.',
    labels: ['currency'],
  },
  {
    name: 'hairpin_budget_used_ratio',
    type: 'gauge',
    help: 'Highest used part of the budgets of an app; 1 is all of it.',
    labels: ['app'],
  },
  {
    name: 'hairpin_budget_marks_total',
    type: 'counter',
    help: 'Marks of budgets that were reached.',
    labels: ['app'],
  },
  {
    name: 'hairpin_budgets_unmeasured',
    type: 'gauge',
    help: 'Budgets in money that do nothing: the price is unknown or of another currency.',
    labels: [],
  },
  {
    name: 'hairpin_budget_webhooks_total',
    type: 'counter',
    help: 'Attempts to deliver a webhook, and deliveries given up, by result.',
    labels: ['result'],
  },
  {
    name: 'hairpin_budget_webhooks_waiting',
    type: 'gauge',
    help: 'Webhooks that wait to be delivered.',
    labels: [],
  },
  {
    name: 'hairpin_relay_ports',
    type: 'gauge',
    help: 'Ports for relayed addresses, by configuration.',
    labels: [],
  },
  {
    name: 'hairpin_relay_ports_in_use',
    type: 'gauge',
    help: 'Ports of live relayed addresses.',
    labels: [],
  },
  {
    name: 'hairpin_ledger_up',
    type: 'gauge',
    help: '1 while the ledger is written; 0 while usage waits in memory.',
    labels: [],
  },
  {
    name: 'hairpin_ledger_waiting_entries',
    type: 'gauge',
    help: 'Entries that wait to be written to the ledger.',
    labels: [],
  },
  {
    name: 'hairpin_ledger_merged_calls_total',
    type: 'counter',
    help: 'Calls that the ledger counts without their user, because too many waited to be written.',
    labels: [],
  },
  {
    name: 'hairpin_external_address_changes_total',
    type: 'counter',
    help: 'Times that a detected advertised address was replaced by another one.',
    labels: [],
  },
  {
    name: 'hairpin_relay_worker_restarts_total',
    type: 'counter',
    help: 'Relay workers that ended unexpectedly and were started again.',
    labels: [],
  },
]
