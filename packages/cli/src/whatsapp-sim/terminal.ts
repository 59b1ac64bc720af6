import { createInterface, type Interface } from 'node:readline'

/** Lines to and from a person, or a pipe: what is told while something is being typed does not tear it apart. */
export class Terminal {
  #lines: Interface | undefined

  say(line: string): void {
    if (this.#lines && process.stdout.isTTY) process.stdout.write('\r\x1b[K')
    console.log(line)
    this.#prompt()
  }

  /** @param answer gives what to say to a line; @param quit Ctrl-C, or Ctrl-D of a person: a pipe may be empty from the start */
  open(answer: (line: string) => Promise<string>, quit: () => void): void {
    const lines = createInterface({ input: process.stdin, output: process.stdout, prompt: '> ' })
    this.#lines = lines
    lines.on('SIGINT', quit)
    if (process.stdin.isTTY) lines.on('close', quit)
    lines.on('line', (line) => {
      answer(line)
        .catch((error: Error) => `! ${error.message}`)
        .then((text) => (text === '' ? this.#prompt() : this.say(text)))
    })
    this.#prompt()
  }

  close(): void {
    const lines = this.#lines
    this.#lines = undefined
    lines?.close()
  }

  #prompt(): void {
    if (process.stdin.isTTY && process.stdout.isTTY) this.#lines?.prompt(true)
  }
}
