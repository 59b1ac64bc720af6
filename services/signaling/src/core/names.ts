import { limits } from '@hairpin/protocol'

/**
 * What a wanted name becomes: NFC, white space runs as one space, trimmed, without control, format and unassigned
 * characters and without angle brackets (pages in the tutorial's manner write names into innerHTML), at most 64 code
 * points. Zero-width joiners stay only between letters or emoji, where scripts need them. May come out empty.
 */
export function cleanName(wanted: string): string {
  const visible = wanted
    .normalize('NFC')
    .replace(/\s+/gu, ' ')
    .replace(/[<>]/gu, '')
    .replace(/(?![\u200c\u200d])\p{C}/gu, '')
    .replace(strayJoiner, '')
    // What went may have stood between two spaces, or between a letter and its accent.
    .replace(/ +/g, ' ')
    .normalize('NFC')
    .trim()
  return shorten(visible, limits.nameLength)
}

const joinable = String.raw`[\p{L}\p{M}\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f]`
const strayJoiner = new RegExp(String.raw`(?<!${joinable})[\u200c\u200d]|[\u200c\u200d](?!${joinable})`, 'gu')

/** Names with one key count as the same name: they differ in case, width or joiners only. */
export function nameKey(name: string): string {
  return name
    .normalize('NFKC')
    .toLowerCase()
    .replace(/\u200c|\u200d|\ufe0f/gu, '')
}

/** The name nearest to the wanted one that is free: itself, else the first of `wanted2`, `wanted3`, … */
export function freeName(wanted: string, isFree: (name: string) => boolean): string {
  const base = cleanName(wanted)
  if (nameKey(base) !== '' && isFree(base)) return base
  const stem = nameKey(base) === '' ? 'Guest' : base
  for (let n = stem === base ? 2 : 1; ; n++) {
    const name = `${shorten(stem, limits.nameLength - String(n).length)}${n}`
    if (isFree(name)) return name
  }
}

function shorten(text: string, codePoints: number): string {
  return [...text].slice(0, codePoints).join('').trimEnd()
}
