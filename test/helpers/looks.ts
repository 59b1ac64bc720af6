import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Page } from 'playwright-core'

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

/** Folder for screenshots, when somebody wants to look. */
const screenshots = process.env.HAIRPIN_TEST_SCREENSHOTS

/** What axe finds fault with as the page is now: rule and elements. Takes a screenshot of that name where they are wanted. */
export async function violations(page: Page, name: string): Promise<[string, string[]][]> {
  if (screenshots) await page.screenshot({ path: join(screenshots, `${name}.png`), fullPage: true })
  // Not as a script of the page, whose policy allows none from elsewhere.
  await page.evaluate(await readFile(axe, 'utf8'))
  return page.evaluate(async () => {
    // biome-ignore lint/suspicious/noExplicitAny: axe puts itself into the window
    const { violations } = await (window as any).axe.run()
    return violations.map(({ id, nodes }: { id: string; nodes: { html: string }[] }) => [
      id,
      nodes.map(({ html }) => html),
    ])
  })
}
