/** Loaded into every contender before its own code: collects garbage when the bench asks, and says what is left. */
process.on('message', () => {
  const running = process.memoryUsage().rss
  // The second one finds what the first one's finalizers let go of. Other flavors leave freed pages with the process.
  for (let i = 0; i < 2; i++) globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' })
  const { rss, heapUsed, external } = process.memoryUsage()
  process.send?.({ running, rss, heap: heapUsed + external })
})
process.channel?.unref()
