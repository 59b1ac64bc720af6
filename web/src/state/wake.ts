import type { HairpinClient } from '@hairpin/client'

const key = 'hairpin ring'

/** Whether this browser can ring while the page is closed: by Web Push, to pages on HTTPS or localhost. */
export function canRing(): boolean {
  return 'serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window
}

/** The name under which this browser rings while the page is closed. */
export function ringingName(): string | undefined {
  return localStorage.getItem(key) ?? undefined
}

/** Has this browser rung for the client. False when the user or the server refuses. */
export async function ringWhenClosed(client: HairpinClient): Promise<boolean> {
  if ((await Notification.requestPermission()) !== 'granted') return false
  await navigator.serviceWorker.register('/sw.js')
  const address = await client.push.registerBrowser(await navigator.serviceWorker.ready)
  if (address === undefined || client.name === undefined) return false
  localStorage.setItem(key, client.name)
  return true
}

export async function stopRinging(client: HairpinClient): Promise<void> {
  localStorage.removeItem(key)
  const registration = await navigator.serviceWorker.getRegistration()
  const subscription = await registration?.pushManager.getSubscription()
  if (!subscription) return
  client.push.unregister(subscription.endpoint)
  await subscription.unsubscribe()
}
