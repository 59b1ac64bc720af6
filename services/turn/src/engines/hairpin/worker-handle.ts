import { type MessagePort, Worker } from 'node:worker_threads'
import type { FastifyBaseLogger } from 'fastify'
import type { AllocationInfo, AllocationQuery, Sample } from '../../engine.ts'
import type { UsageSink } from '../../ledger/feed.ts'
import { type PackedBatch, unpackBatch } from '../../ledger/packed.ts'
import type { Handover } from '../../net/tcp-relay/relay.ts'
import type { FromWorker, ToWorker, WorkerSettings } from './messages.ts'

/** Milliseconds within which a worker answers, else its last counters are taken. */
const SNAPSHOT_TIMEOUT = 500
/** Milliseconds a worker gets to close its sockets. */
const STOP_TIMEOUT = 2000

/** A worker could not start; `code` is the system's (EADDRINUSE …) when a socket was the reason. */
export class WorkerFailure extends Error {
  readonly code: string | undefined

  constructor(message: string, code?: string | undefined) {
    super(message)
    this.name = 'WorkerFailure'
    this.code = code
  }
}

/** A sink that passes it on to another thread need not see what is in it. */
function take(usage: UsageSink | undefined, batch: PackedBatch): void {
  if (usage?.ingestPacked) usage.ingestPacked(batch)
  else usage?.ingest(unpackBatch(batch))
}

/** One running worker thread as the pool sees it. */
export class WorkerHandle {
  /** Its sockets are bound, and `serve` may be called. Rejects with WorkerFailure when they cannot be. */
  readonly bound: Promise<void>
  /** Rejects with WorkerFailure when the worker cannot listen. */
  readonly listening: Promise<void>
  /** Resolves when the thread is gone; true when nobody had asked it to go. */
  readonly ended: Promise<boolean>
  /** Of its usage. */
  readonly epoch: string
  readonly #worker: Worker
  readonly #waiting = new Map<number, (samples: readonly Sample[]) => void>()
  readonly #asked = new Map<number, (allocations: readonly AllocationInfo[]) => void>()
  #last: readonly Sample[] = []
  #nextId = 1
  #listens = false
  #stopping = false
  #gone = false

  /**
   * @param connect is told when this worker asks for a channel to another one
   * @param handOver gets clients' connections that belong to another one
   */
  constructor(
    settings: WorkerSettings,
    logger: FastifyBaseLogger,
    usage: UsageSink | undefined,
    connect: (worker: number) => void,
    handOver: (handover: Handover) => void,
  ) {
    this.epoch = settings.epoch
    this.#worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: settings,
      name: `relay-${settings.worker}`,
    })
    const bound = Promise.withResolvers<void>()
    const listening = Promise.withResolvers<void>()
    const reject = (failure: WorkerFailure) => {
      bound.reject(failure)
      listening.reject(failure)
    }
    this.bound = bound.promise
    this.listening = listening.promise
    // Whoever starts the worker awaits them; a restart that fails is seen by `ended`.
    this.bound.catch(() => {})
    this.listening.catch(() => {})
    this.#worker.on('message', (message: FromWorker) => {
      if (message.type === 'bound') bound.resolve()
      else if (message.type === 'listening') {
        this.#listens = true
        listening.resolve()
      } else if (message.type === 'connect') connect(message.worker)
      else if (message.type === 'handOver') handOver(message.handover)
      else if (message.type === 'failed') {
        this.#stopping = true
        reject(new WorkerFailure(message.message, message.code))
        // Some of its sockets may be open.
        void this.#worker.terminate()
      } else if (message.type === 'samples') this.#received(message.id, message.samples)
      else if (message.type === 'allocations') this.#asked.get(message.id)?.(message.allocations)
      else if (message.type === 'usage') take(usage, message.batch)
      else if (message.type === 'log') logger[message.level]({ worker: settings.worker }, message.message)
    })
    this.#worker.on('error', (error) => {
      logger.error({ err: error, worker: settings.worker, code: 'TURN_WORKER_CRASHED' }, 'relay worker crashed')
    })
    this.ended = new Promise((done) => {
      this.#worker.once('exit', () => {
        this.#gone = true
        for (const answer of this.#waiting.values()) answer(this.#last)
        for (const answer of this.#asked.values()) answer([])
        reject(new WorkerFailure('the relay worker ended before it listened'))
        done(!this.#stopping)
      })
    })
  }

  serve(): void {
    this.#post({ type: 'serve' })
  }

  /** The latest counters known, without asking. */
  get last(): readonly Sample[] {
    return this.#last
  }

  /** Its counters are kept elsewhere from now on. */
  forget(): void {
    this.#last = []
  }

  /** The counters of now; after a timeout, or from a worker that is gone, the latest known. */
  snapshot(): Promise<readonly Sample[]> {
    if (this.#gone) return Promise.resolve(this.#last)
    const id = this.#nextId++
    return new Promise((resolve) => {
      const timer = setTimeout(() => answer(this.#last), SNAPSHOT_TIMEOUT)
      const answer = (samples: readonly Sample[]) => {
        clearTimeout(timer)
        this.#waiting.delete(id)
        resolve(samples)
      }
      this.#waiting.set(id, answer)
      this.#post({ type: 'snapshot', id })
    })
  }

  /** Its allocations that match. None from a worker that is gone or does not answer in time. */
  allocations(query: AllocationQuery): Promise<readonly AllocationInfo[]> {
    return this.#ask((id) => ({ type: 'list', id, query }))
  }

  /** Ends the allocation; gives it when there was one. */
  closeAllocation(allocation: string): Promise<readonly AllocationInfo[]> {
    return this.#ask((id) => ({ type: 'close', id, allocation }))
  }

  #ask(question: (id: number) => ToWorker): Promise<readonly AllocationInfo[]> {
    if (this.#gone) return Promise.resolve([])
    const id = this.#nextId++
    return new Promise((resolve) => {
      const timer = setTimeout(() => answer([]), SNAPSHOT_TIMEOUT)
      const answer = (allocations: readonly AllocationInfo[]) => {
        clearTimeout(timer)
        this.#asked.delete(id)
        resolve(allocations)
      }
      this.#asked.set(id, answer)
      this.#post(question(id))
    })
  }

  /** Ends the thread at once, as a crash does. */
  async kill(): Promise<void> {
    await this.#worker.terminate()
  }

  /** Ends allocations and closes sockets; a worker that does not answer is ended by force. */
  async stop(): Promise<void> {
    this.#stopping = true
    if (this.#gone) return
    this.#post({ type: 'stop' })
    const force = setTimeout(() => void this.#worker.terminate(), STOP_TIMEOUT)
    await this.ended
    clearTimeout(force)
  }

  /** The channel to `worker` that it asked for. */
  connected(worker: number, port: MessagePort): void {
    this.#worker.postMessage({ type: 'connected', worker, port } satisfies ToWorker, [port])
  }

  /** A channel by which another worker hands over; closed where there is nobody yet, or no longer, to hand over to. */
  accept(port: MessagePort): void {
    if (this.#listens && !this.#gone) this.#worker.postMessage({ type: 'accept', port } satisfies ToWorker, [port])
    else port.close()
  }

  /** A client's connection that another worker hands over; closed where there is nobody to take it. */
  take(handover: Handover): void {
    const { port } = handover
    if (this.#listens && !this.#gone) this.#worker.postMessage({ type: 'take', handover } satisfies ToWorker, [port])
    else port.close()
  }

  /** Heard once it listens. */
  tell(message: Exclude<ToWorker, { id: number } | { type: 'serve' | 'stop' }>): void {
    this.#post(message)
  }

  #post(message: ToWorker): void {
    this.#worker.postMessage(message)
  }

  #received(id: number, samples: readonly Sample[]): void {
    this.#last = samples
    this.#waiting.get(id)?.(samples)
  }
}
