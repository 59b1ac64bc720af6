import type { EngineOptions, RelayEngine } from '../engine.ts'

/** The engine that the configuration names. Only the chosen one is loaded. */
export async function createEngine(options: EngineOptions): Promise<RelayEngine> {
  if (options.config.turn.engine === 'node-turn') {
    const { NodeTurnEngine } = await import('./node-turn/index.ts')
    return new NodeTurnEngine(options)
  }
  const { HairpinEngine } = await import('./hairpin/pool.ts')
  return new HairpinEngine(options)
}
