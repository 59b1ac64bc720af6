import type { DashboardSpec } from './panels.ts'

export const relay: DashboardSpec = {
  uid: 'hairpin-relay',
  title: 'Hairpin: cost and bandwidth',
  rows: [
    [
      {
        kind: 'stat',
        title: 'Relayed now',
        query: '8 * sum(rate(hairpin_relay_bytes_total[$__rate_interval]))',
        unit: 'bps',
      },
      {
        kind: 'stat',
        title: 'Cost per hour now',
        query: '3600 * sum by (currency) (rate(hairpin_relay_cost_total[$__rate_interval]))',
        legend: '{{currency}}',
        decimals: 4,
        description: 'At the price of HAIRPIN_PRICES, if it goes on as in this moment.',
      },
      {
        kind: 'stat',
        title: 'Cost today',
        query: 'sum by (currency) (hairpin_relay_cost{period="day"})',
        legend: '{{currency}}',
        decimals: 4,
        description: 'Since midnight, UTC.',
      },
      {
        kind: 'stat',
        title: 'Cost this month',
        query: 'sum by (currency) (hairpin_relay_cost{period="month"})',
        legend: '{{currency}}',
        decimals: 4,
        description: 'Since the first of the month, UTC. The ledger has the exact figure: npx hairpin usage --month.',
      },
      {
        kind: 'stat',
        title: 'Forecast for the month',
        query: 'hairpin_relay_cost_forecast',
        legend: '{{currency}}',
        decimals: 2,
        description: 'If the month goes on like its part so far. In its first hours a single call swings it.',
      },
      { kind: 'stat', title: 'Allocations', query: 'sum(hairpin_allocations)' },
    ],
    [
      {
        kind: 'graph',
        title: 'Relay bandwidth',
        query: '8 * sum by (direction) (rate(hairpin_relay_bytes_total[$__rate_interval]))',
        legend: '{{direction}}',
        unit: 'bps',
        stacked: true,
        description: 'Payload, without headers.',
      },
      {
        kind: 'graph',
        title: 'Traffic that leaves this host, by app',
        query: '8 * sum by (app) (rate(hairpin_relay_egress_bytes_total[$__rate_interval]))',
        legend: '{{app}}',
        unit: 'bps',
        stacked: true,
        description: 'With TURN, UDP and IP headers: what hosters bill.',
      },
    ],
    [
      {
        kind: 'graph',
        title: 'Cost this month, by app',
        query: 'sum by (app, currency) (hairpin_relay_cost{period="month"})',
        legend: '{{app}} ({{currency}})',
        decimals: 4,
        stacked: true,
      },
      {
        kind: 'graph',
        title: 'Billable bytes today, by app',
        query: 'sum by (app) (hairpin_relay_billable_bytes{period="day"})',
        legend: '{{app}}',
        unit: 'decbytes',
        stacked: true,
      },
      {
        kind: 'graph',
        title: 'Budgets used',
        query: 'max by (app) (hairpin_budget_used_ratio)',
        legend: '{{app}}',
        unit: 'percentunit',
      },
    ],
    [
      {
        kind: 'stat',
        title: 'Relayed in 24 hours',
        query: 'sum(increase(hairpin_relay_bytes_total[24h]))',
        unit: 'decbytes',
      },
      {
        kind: 'stat',
        title: 'Billable this month',
        query: 'sum(hairpin_relay_billable_bytes{period="month"})',
        unit: 'decbytes',
      },
      {
        kind: 'stat',
        title: 'Budget marks reached in 24 hours',
        query: 'sum(increase(hairpin_budget_marks_total[24h])) or on() vector(0)',
      },
      { kind: 'stat', title: 'Webhooks waiting', query: 'sum(hairpin_budget_webhooks_waiting)' },
    ],
  ],
}
