import type { DashboardSpec } from './panels.ts'

export const capacity: DashboardSpec = {
  uid: 'hairpin-capacity',
  title: 'Hairpin: capacity',
  rows: [
    [
      { kind: 'stat', title: 'Allocations', query: 'sum(hairpin_allocations)' },
      {
        kind: 'stat',
        title: 'Relayed ports used',
        query: 'hairpin:relay_ports_used:ratio',
        unit: 'percentunit',
        decimals: 1,
        description: 'Of HAIRPIN_RELAY_PORTS. When all are used, new allocations draw 508.',
      },
      {
        kind: 'stat',
        title: 'Client connections',
        query: 'sum(hairpin_client_connections)',
        description: 'TCP and TLS.',
      },
      {
        kind: 'stat',
        title: 'Packets a second',
        query: 'sum(rate(hairpin_relay_packets_total[$__rate_interval]))',
        unit: 'pps',
      },
    ],
    [
      {
        kind: 'graph',
        title: 'Allocations by transport',
        query: 'sum by (transport, family) (hairpin_allocations)',
        legend: '{{transport}} {{family}}',
        stacked: true,
      },
      {
        kind: 'graph',
        title: 'New allocations',
        query: 'sum by (app) (rate(hairpin_allocations_total[$__rate_interval]))',
        legend: '{{app}}',
        unit: 'cps',
      },
      {
        kind: 'graph',
        title: 'How long allocations live, median',
        query: 'histogram_quantile(0.5, sum by (le) (rate(hairpin_allocation_seconds_bucket[$__rate_interval])))',
        legend: 'median',
        unit: 's',
      },
    ],
    [
      {
        kind: 'graph',
        title: 'Relayed packets',
        query: 'sum by (direction) (rate(hairpin_relay_packets_total[$__rate_interval]))',
        legend: '{{direction}}',
        unit: 'pps',
      },
      {
        kind: 'graph',
        title: 'Cores used',
        query: 'sum by (job) (rate(process_cpu_seconds_total[$__rate_interval]))',
        legend: '{{job}}',
        description: 'Of this process, all its threads together.',
      },
      {
        kind: 'graph',
        title: 'Memory',
        query: 'sum by (job) (process_resident_memory_bytes)',
        legend: '{{job}}',
        unit: 'bytes',
      },
    ],
    [
      {
        kind: 'graph',
        title: 'Client connections by transport',
        query: 'sum by (transport) (hairpin_client_connections)',
        legend: '{{transport}}',
      },
      {
        kind: 'graph',
        title: 'Event loop delay, 99 %',
        query: 'max by (job) (nodejs_eventloop_lag_p99_seconds)',
        legend: '{{job}}',
        unit: 's',
        description: 'Of the main thread; relay workers have their own.',
      },
      { kind: 'graph', title: 'Services up', query: 'up', legend: '{{job}}' },
    ],
  ],
}
