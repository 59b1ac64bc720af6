/**
 * The digits of a number as people write it, with `+` or `00` before the country's code or nothing.
 * @returns undefined for what cannot be one (ITU-T E.164: at most 15 digits)
 */
export function digitsOf(text: string): string | undefined {
  const digits = text.replace(/\D/g, '').replace(/^00/, '')
  return /^[1-9]\d{6,14}$/.test(digits) ? digits : undefined
}
