/** Waits for what the network brings. @param within ms */
export async function until(holds: () => boolean, what: string, within = 15_000): Promise<void> {
  const end = Date.now() + within
  while (!holds()) {
    if (Date.now() > end) throw new Error(`in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
