/**
 * Lines of cells as text: the last one, which sums up, below a rule.
 * @param names columns from the left that hold names; the others hold figures
 */
export function alignedTable(lines: readonly (readonly string[])[], names: number): string {
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((cells) => cells[column]!.length)))
  const text = lines.map((cells) =>
    cells
      .map((cell, i) => (i < names ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd(),
  )
  text.splice(-1, 0, '-'.repeat(Math.max(...text.map((line) => line.length))))
  return text.join('\n')
}

/** A name that strangers chose, without what a terminal would act on. */
export function printable(text: string): string {
  return text.replace(/\p{C}/gu, '?')
}
