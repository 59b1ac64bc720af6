/** Who this agent is, as long as the tab lives: a token, or a name where guests may be agents. */
export interface Admission {
  readonly name: string
  readonly token: string | undefined
}

const key = 'hairpin agent'

/** The token of the page's address, `#token=…`, which is taken out of it: addresses are shown, copied and kept. */
export function tokenOfAddress(): string | undefined {
  const token = new URLSearchParams(location.hash.slice(1)).get('token') ?? undefined
  if (token !== undefined) history.replaceState(null, '', location.pathname + location.search)
  return token
}

export function remember(admission: Admission & { readonly available: boolean }): void {
  try {
    sessionStorage.setItem(key, JSON.stringify(admission))
  } catch {
    // A page that is loaded anew asks again.
  }
}

export function forget(): void {
  try {
    sessionStorage.removeItem(key)
  } catch {
    // There is nothing then.
  }
}

/** Of the page before this one, which was loaded anew. */
export function remembered(): (Admission & { readonly available: boolean }) | undefined {
  try {
    const found = JSON.parse(sessionStorage.getItem(key) ?? 'null')
    return typeof found?.name === 'string' ? found : undefined
  } catch {
    return undefined
  }
}

const callKey = 'hairpin agent call'

/** The call that this tab carries. */
export function rememberCall(id: string): void {
  try {
    if (sessionStorage.getItem(callKey) !== id) sessionStorage.setItem(callKey, id)
  } catch {
    // A page that is loaded anew asks whether it should go on with it.
  }
}

/** It does so no more. */
export function forgetCall(): void {
  try {
    sessionStorage.removeItem(callKey)
  } catch {
    // There is nothing then.
  }
}

/** Whether the page before this one, in this tab, carried the call: if not, another device of this agent does. */
export function carriedCall(id: string | undefined): boolean {
  try {
    return id !== undefined && sessionStorage.getItem(callKey) === id
  } catch {
    return false
  }
}
