#!/usr/bin/env node
// What `npx hairpin` finds. Plain JavaScript for whatever Node the machine has; scripts/run.mjs starts the right one.
process.argv.splice(2, 0, 'hairpin')
await import('../../../scripts/run.mjs')
