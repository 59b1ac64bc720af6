/** What a spreadsheet takes for the beginning of a formula; tab and carriage return are skipped before it looks. */
const formula = /^[=+\-@\t\r\n|＝＋－＠]/

/**
 * One field by RFC 4180. Text that a spreadsheet would run as a formula gets an apostrophe in front, which it shows as
 * text: user names are chosen by strangers.
 */
export function csvField(value: string | number | null): string {
  if (value === null) return ''
  if (typeof value === 'number') return String(value)
  const text = formula.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
