import { within, type Logger, type RedisClient } from '@zai2api/runtime';
import { Queue, Worker, type Job, type JobsOptions } from 'bullmq';
import type { RefillSchedule, TickResult } from './refill-schedule.ts';
import { processRefill, sendRefill, type RefillJobData } from './trace-refill.ts';

/** A demand that comes in bursts is one tick: ticks begin at least this far apart. */
const DEFAULT_MIN_GAP_MS = 100;
/** How long a replica that died in a tick holds up the others. Its lock is renewed four times as often. */
const DEFAULT_LOCK_MS = 10_000;
/** The share of the lock after which a tick that could not renew it ends itself, before another replica may begin one. */
const TRUSTED_LOCK_SHARE = 0.75;
/** Dead replicas are looked for this often. */
const STALLED_CHECKS_PER_LOCK = 3;
/** A Redis can lose the schedule without losing the connection: by FLUSHALL, or by a failover to an empty replica. */
const MIN_UPSERT_INTERVAL_MS = 10_000;
/** An idle worker asks for work at least this often, should it have missed the signal; in seconds. */
const IDLE_POLL_SECONDS = 1;
/** After a refused connection; BullMQ's own 15 s would also hold up the stop. */
const RETRY_MS = 500;
/** A Redis that is away must not hold up the stop. */
const CLOSE_TIMEOUT_MS = 1_000;
/** Nobody reads the events. */
const MOST_EVENTS = 100;

const QUEUE = 'refill';
const JOB = 'tick';
const SCHEDULER = 'interval';
/** Jobs hold no data but who asked: what a tick does is in the code, what it knows is in the store. Done, they are gone. */
const jobOptions = { removeOnComplete: true, removeOnFail: { count: 10, age: 86_400 } } satisfies JobsOptions;

interface Started {
  readonly queue: Queue;
  readonly worker: RefillWorker;
  readonly upsertTimer: NodeJS.Timeout;
}

/**
 * A schedule for any number of replicas that share a Redis: one job scheduler for all of them, a worker in each, one tick at a time. A
 * replica that dies in a tick is replaced by another one when its lock has run out; one that cannot renew its lock aborts its tick. Only a
 * Redis that forgets everything in the middle of a tick can make two of them overlap, for less than the lock's time.
 *
 * `commands` sends jobs and `blocking` serves the worker, which opens one more connection like it to wait with. Both stay the caller's, who
 * closes them after `stop`.
 */
export function createBullmqSchedule(options: {
  commands: RedisClient;
  blocking: RedisClient;
  /** First part of all keys. */
  prefix: string;
  intervalMs: number;
  logger: Logger;
  minGapMs?: number;
  lockMs?: number;
}): RefillSchedule {
  const { commands, blocking, intervalMs, logger } = options;
  const { minGapMs = DEFAULT_MIN_GAP_MS, lockMs = DEFAULT_LOCK_MS } = options;
  // The braces are a hash tag: in a Cluster all keys of the queue must be on one node.
  const prefix = `{${options.prefix}:refresher}`;
  const stopping = new AbortController();
  let stopped: Promise<void> | undefined;
  let started: Started | undefined;
  let running: Promise<void> | undefined;
  let sending: Promise<void> | undefined;
  let demands = 0;
  let isInTrouble = false;
  let isWorkLeft = false;
  /** Of the first upsert: later ones only hold on to it. */
  let scheduler: RefillJobData | undefined;

  /** BullMQ repeats itself while Redis is away. */
  function reportTrouble(error: unknown): void {
    if (isInTrouble || stopping.signal.aborted) return;
    isInTrouble = true;
    logger.warn({ err: error }, 'the refill queue is in trouble');
  }

  async function add(queue: Queue, job: JobsOptions & { deduplication: { id: string } }): Promise<void> {
    await sendRefill(QUEUE, (data) => queue.add(JOB, data, job));
  }

  /**
   * Also after the start: the schedule may be lost with the rest of Redis, or another version may have put one with another interval.
   * Resolves to the milliseconds until its next tick: 0 when it was not there.
   */
  async function upsert(queue: Queue): Promise<number> {
    try {
      await queue.setGlobalConcurrency(1);
      // Replaced as a whole: BullMQ keeps the offset that it computed for the old interval.
      const before = await queue.getJobScheduler(SCHEDULER);
      if (before && before.every !== intervalMs) await queue.removeJobScheduler(SCHEDULER);
      const put = (data: RefillJobData): Promise<Job> => {
        scheduler = data;
        return queue.upsertJobScheduler(SCHEDULER, { every: intervalMs }, { name: JOB, data, opts: jobOptions });
      };
      const next = scheduler ? await put(scheduler) : await sendRefill(QUEUE, put);
      isInTrouble = false;
      return next.opts.delay ?? 0;
    } catch (error) {
      reportTrouble(error);
      return 0;
    }
  }

  async function beginSchedule(queue: Queue): Promise<void> {
    // A schedule that was there goes on where it was.
    if ((await upsert(queue)) > 0) requestTick();
  }

  async function runTick(
    { queue, worker }: Started,
    job: Job<RefillJobData>,
    tick: (signal: AbortSignal) => Promise<TickResult>,
    cancelled: AbortSignal,
  ): Promise<void> {
    const lockIsLost = new AbortController();
    const guard = setTimeout(() => lockIsLost.abort(), lockMs * TRUSTED_LOCK_SHARE);
    const onRenewed = (): void => void guard.refresh();
    worker.on('locksRenewed', onRenewed);
    const signal = AbortSignal.any([stopping.signal, cancelled, lockIsLost.signal]);
    try {
      await processRefill(QUEUE, job, async () => {
        const { nextInMs = Infinity } = await tick(signal);
        if (nextInMs >= intervalMs) return;
        const deduplication = { id: 'planned', replace: true, keepLastIfActive: true };
        await add(queue, { delay: Math.max(0, Math.ceil(nextInMs)), deduplication });
      });
      isInTrouble = false;
    } catch (error) {
      // Not thrown on: it would be written to Redis.
      if (!signal.aborted) logger.error({ err: error }, 'a look at the pool failed');
      else if (!stopping.signal.aborted)
        logger.warn('a look at the pool was broken off: its lock could not be renewed');
    } finally {
      isWorkLeft = signal.aborted;
      clearTimeout(guard);
      worker.off('locksRenewed', onRenewed);
    }
  }

  /** One command at a time; what is asked for meanwhile is one more. */
  async function sendDemands(queue: Queue): Promise<void> {
    for (let sent = 0; sent < demands && !stopping.signal.aborted;) {
      sent = demands;
      try {
        await add(queue, { deduplication: { id: 'demanded', keepLastIfActive: true } });
      } catch (error) {
        reportTrouble(error);
      }
    }
    demands = 0;
    sending = undefined;
  }

  function requestTick(): void {
    if (!started || stopping.signal.aborted) return;
    demands++;
    sending ??= sendDemands(started.queue);
  }

  function onReady(): void {
    if (started) void upsert(started.queue);
  }

  async function stopAll(): Promise<void> {
    stopping.abort();
    if (!started) return;
    const { queue, worker, upsertTimer } = started;
    clearInterval(upsertTimer);
    commands.off('ready', onReady);
    await running;
    // A Redis that is away is not waited for.
    await within(close(queue, worker), CLOSE_TIMEOUT_MS).catch(() => undefined);
    await worker.closeLockManager();
  }

  async function close(queue: Queue, worker: Worker): Promise<void> {
    await worker.close();
    // What was left undone here is done by another replica, or after a restart, without waiting for the interval.
    if (isWorkLeft) await add(queue, { deduplication: { id: 'handed-over' } });
    await queue.close();
  }

  return {
    start(tick) {
      if (started || stopping.signal.aborted) return;
      const queue = new Queue(QUEUE, {
        connection: commands,
        prefix,
        defaultJobOptions: jobOptions,
        streams: { events: { maxLen: MOST_EVENTS } },
      });
      const worker: RefillWorker = new RefillWorker(
        QUEUE,
        async (job: Job<RefillJobData>, _token, signal) => {
          // Fetched while the stop began.
          if (stopping.signal.aborted || !started) {
            isWorkLeft = true;
            return;
          }
          logger.debug({ job: job.id }, 'looking at the pool');
          running = runTick(started, job, tick, signal ?? stopping.signal);
          await running;
          running = undefined;
        },
        {
          connection: blocking,
          prefix,
          concurrency: 1,
          limiter: { max: 1, duration: minGapMs },
          lockDuration: lockMs,
          stalledInterval: Math.ceil(lockMs / STALLED_CHECKS_PER_LOCK),
          drainDelay: IDLE_POLL_SECONDS,
          runRetryDelay: RETRY_MS,
        },
      );
      worker.on('error', reportTrouble);
      worker.on('lockRenewalFailed', (ids: string[]) => {
        for (const id of ids) worker.cancelJob(id);
      });
      queue.on('error', reportTrouble);
      const upsertTimer = setInterval(() => void upsert(queue), Math.max(intervalMs, MIN_UPSERT_INTERVAL_MS));
      upsertTimer.unref();
      started = { queue, worker, upsertTimer };
      commands.on('ready', onReady);
      void beginSchedule(queue);
    },
    requestTick,
    stop: () => (stopped ??= stopAll()),
  };
}

class RefillWorker extends Worker {
  /** After an incomplete close BullMQ's lock-renewal timer keeps the process alive. */
  async closeLockManager(): Promise<void> {
    await this.lockManager.close();
  }
}
