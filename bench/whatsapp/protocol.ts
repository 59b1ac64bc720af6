/** What the bench and the process under test say to each other. */

export type ToServer =
  | { readonly do: 'connect'; readonly call: number; readonly customer: string; readonly agent: string }
  | { readonly do: 'end' }

export type FromServer =
  | { readonly is: 'ready' }
  | { readonly is: 'connected'; readonly call: number; readonly customer: string; readonly agent: string }
