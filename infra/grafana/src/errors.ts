import type { DashboardSpec } from './panels.ts'

/** A counter that nothing has increased yet has no series: zero is drawn instead. */
const orZero = (query: string) => `${query} or on() vector(0)`

export const errors: DashboardSpec = {
  uid: 'hairpin-errors',
  title: 'Hairpin: errors',
  rows: [
    [
      { kind: 'stat', title: 'Firing alerts', query: orZero('count(ALERTS{alertstate="firing"})') },
      {
        kind: 'stat',
        title: 'Allocations refused',
        query: 'hairpin:allocation_failures:ratio_rate5m',
        unit: 'percentunit',
        decimals: 1,
        description: 'Without challenges, quotas and budgets, over 5 minutes.',
      },
      {
        kind: 'stat',
        title: 'Packets dropped',
        query: 'hairpin:relay_drops:ratio_rate5m',
        unit: 'percentunit',
        decimals: 2,
        description: 'Of those of allocations, over 5 minutes.',
      },
      { kind: 'stat', title: 'Ledger is written', query: 'min(hairpin_ledger_up)' },
      {
        kind: 'stat',
        title: 'Worker restarts in 24 hours',
        query: 'sum(increase(hairpin_relay_worker_restarts_total[24h]))',
      },
      { kind: 'stat', title: 'Budgets not measured', query: 'sum(hairpin_budgets_unmeasured)' },
    ],
    [
      {
        kind: 'graph',
        title: 'Dropped packets',
        query: orZero('sum by (reason) (rate(hairpin_dropped_total[$__rate_interval]))'),
        legend: '{{reason}}',
        unit: 'pps',
      },
      {
        kind: 'graph',
        title: 'STUN errors',
        query: orZero('sum by (method, code) (rate(hairpin_stun_requests_total{code!="200"}[$__rate_interval]))'),
        legend: '{{method}} {{code}}',
        unit: 'reqps',
        description: 'A 401 to a first Allocate is the normal challenge.',
      },
    ],
    [
      {
        kind: 'graph',
        title: 'Refused credentials',
        query: orZero('sum by (reason) (rate(hairpin_auth_failures_total[$__rate_interval]))'),
        legend: '{{reason}}',
        unit: 'cps',
      },
      {
        kind: 'graph',
        title: 'Refused connections',
        query: orZero('sum by (reason) (rate(hairpin_client_connections_refused_total[$__rate_interval]))'),
        legend: '{{reason}}',
        unit: 'cps',
      },
      {
        kind: 'graph',
        title: 'Signaling errors',
        query: orZero('sum by (code) (rate(hairpin_signaling_errors_total[$__rate_interval]))'),
        legend: '{{code}}',
        unit: 'cps',
      },
    ],
    [
      {
        kind: 'graph',
        title: 'Usage that waits to be written',
        query: 'sum(hairpin_ledger_waiting_entries)',
        legend: 'entries',
      },
      {
        kind: 'graph',
        title: 'Webhooks',
        query: 'sum by (result) (increase(hairpin_budget_webhooks_total[$__rate_interval]))',
        legend: '{{result}}',
      },
    ],
  ],
}
