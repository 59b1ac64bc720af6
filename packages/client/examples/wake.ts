import type { HairpinClient } from '@hairpin/client'

/** After a tap: this browser rings while the page is closed. The service worker shows a notification at `push`. */
export async function ringWhenClosed(client: HairpinClient): Promise<boolean> {
  if ((await Notification.requestPermission()) !== 'granted') return false
  await navigator.serviceWorker.register('/sw.js')
  const address = await client.push.registerBrowser(await navigator.serviceWorker.ready)
  return address !== undefined
}
