/** Loaded into every contender before its own code: collects garbage when the bench asks, and says what is left. */
process.on('message', () => {
  // The second one finds what the first one's finalizers let go of.
  for (let i = 0; i < 2; i++) globalThis.gc?.()
  const { rss, heapUsed, external } = process.memoryUsage()
  process.send?.({ rss, heap: heapUsed + external })
})
process.channel?.unref()
