/**
 * What the tests make outside their own process (compose projects, network namespaces) carries the process that made
 * it in its name, so that the next run can tell what a broken run left behind.
 */
const prefix = 'hptest'

export function ownedName(name: string): string {
  return `${prefix}-${process.pid}-${name}`
}

/** The process that made the thing of this name; undefined when it is none of ours. */
export function ownerOf(name: string): number | undefined {
  const match = new RegExp(`^${prefix}-(\\d+)-`).exec(name)
  return match ? Number(match[1]) : undefined
}
