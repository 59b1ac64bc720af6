import { randomBytes } from 'node:crypto'
import { existsSync, linkSync, rmSync, writeFileSync } from 'node:fs'

/**
 * Makes a file of mode 0600 when there is none. It is written whole, then linked to its name: the name appears at once with
 * its content, or was there before, for two services may start on one folder.
 * @param text asked for only when there is no file
 * @throws what the file system says
 */
export function createOnce(path: string, text: () => string): void {
  if (existsSync(path)) return
  const temporary = `${path}.${process.pid}.${randomBytes(6).toString('base64url')}`
  writeFileSync(temporary, text(), { mode: 0o600, flag: 'wx' })
  try {
    linkSync(temporary, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(temporary, { force: true })
  }
}
