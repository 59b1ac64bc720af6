import type { DashboardSpec } from './panels.ts'

const orZero = (query: string) => `${query} or on() vector(0)`

export const signaling: DashboardSpec = {
  uid: 'hairpin-signaling',
  title: 'Hairpin: signaling',
  rows: [
    [
      { kind: 'stat', title: 'Connections', query: 'sum(hairpin_signaling_connections)' },
      { kind: 'stat', title: 'Users', query: 'sum(hairpin_signaling_users)' },
      { kind: 'stat', title: 'Calls', query: 'sum(hairpin_calls)' },
      {
        kind: 'stat',
        title: 'Sessions that may be resumed',
        query: 'sum(hairpin_signaling_detached_sessions)',
      },
    ],
    [
      {
        kind: 'graph',
        title: 'Signaling connections',
        query: 'sum(hairpin_signaling_connections)',
        legend: 'connections',
      },
      {
        kind: 'graph',
        title: 'Calls by state',
        query: 'sum by (state) (hairpin_calls)',
        legend: '{{state}}',
        stacked: true,
      },
      {
        kind: 'graph',
        title: 'Ended calls',
        query: orZero('sum by (outcome) (increase(hairpin_calls_total[$__rate_interval]))'),
        legend: '{{outcome}}',
      },
    ],
    [
      {
        kind: 'graph',
        title: 'Signaling messages',
        query: 'sum by (type, direction) (rate(hairpin_signaling_messages_total[$__rate_interval]))',
        legend: '{{type}} {{direction}}',
        unit: 'cps',
      },
      {
        kind: 'graph',
        title: 'Time from offer to answer, 90 %',
        query: 'histogram_quantile(0.9, sum by (le) (rate(hairpin_call_setup_seconds_bucket[$__rate_interval])))',
        legend: '90 %',
        unit: 's',
      },
      {
        kind: 'graph',
        title: 'Resumed sessions',
        query: orZero('sum by (result) (increase(hairpin_signaling_resumes_total[$__rate_interval]))'),
        legend: '{{result}}',
      },
    ],
  ],
}
