import type { TurnError } from '@zai2api/turn';
import type { Credential } from '../credential.ts';
import type { LeaseRequest } from '../credential-store.ts';
import { refuseForLackOfCapacity, refuseForPoolState, storeClosed } from '../pool-state.ts';
import type { StartTimer } from '../start-timer.ts';
import { createWaitQueue, type Waiter } from '../wait-queue.ts';
import type { LeaseAnswer, LeaseAsk, PoolCommands } from './pool-commands.ts';

/** What a request becomes. */
export type Granted = LeaseAnswer & {
  readonly kind: 'granted';
  /** When the question was sent: the lease has run since then at the latest. */
  readonly askedAtMs: number;
};

type Answer = Exclude<LeaseAnswer, { readonly kind: 'granted' }> | Granted;

/** The requests of this process on their way to a lease. */
export interface LeaseQueue {
  /** Asks, waits behind those who wait already, and rejects as the port says. `leaseId`: id of the lease to come. */
  join(request: LeaseRequest, leaseId: string): Promise<Granted>;
  /** Something in the pool is different: whoever waits asks again. */
  poolChanged(): void;
  /** All who wait leave with this error. */
  refuseAll(error: TurnError): void;
  /** How many wait. */
  readonly size: number;
  /** Refuses those who wait and those who come. */
  close(): void;
}

/** A request on its way. */
interface Asking extends LeaseRequest {
  readonly leaseId: string;
  readonly deadlineMs: number;
  /** When a resting credential is back, as of the last answer. */
  backAtMs: number | undefined;
  hasAsked: boolean;
}

/** Not in the queue, but asks together with it. */
interface Newcomer {
  readonly request: Asking;
  readonly answered: PromiseWithResolvers<Answer>;
}

type Party = Waiter<Granted, Asking> | Newcomer;
const isNewcomer = (party: Party): party is Newcomer => 'answered' in party;

/** Messages between processes can be lost: whoever waits asks again after this time at the latest. */
const MAX_SILENCE_MS = 2_000;
/** So many of the queue ask in one command: more are rarely served at once, and would keep Redis from its other clients. */
const MAX_ASKS = 64;
/** Longer waits are endless. */
const MAX_WAIT_MS = 1e12;
/** Every store prefers a user. */
const preferred: readonly Credential['kind'][] = ['user', 'guest'];
const unanswered: Answer = { kind: 'wait', backInMs: undefined };

/**
 * First come, first served within the process: the queue asks in one command, from its head, whenever the pool may have changed. `ask` is the
 * command; `giveBack` hears of leases that were given, but that nobody takes any more.
 */
export function createLeaseQueue(options: {
  ask: PoolCommands['lease'];
  giveBack(leaseId: string, leaseMs: number): void;
  now(): number;
  startTimer: StartTimer;
}): LeaseQueue {
  const { startTimer } = options;
  const now = (): number => options.now();
  const queue = createWaitQueue<Granted, Asking>({ now, startTimer });
  const newcomers: Newcomer[] = [];
  /** How often the pool has changed: an answer that crossed a change may be out of date. */
  let changes = 0;
  let isAsking = false;
  let mustAskAgain = false;
  let wake: { readonly atMs: number; readonly cancel: () => void } | undefined;
  let closed = false;

  function wakeIn(delayMs: number): void {
    const atMs = now() + delayMs;
    if (closed || (wake && wake.atMs <= atMs)) return;
    wake?.cancel();
    const cancel = startTimer(delayMs, () => {
      wake = undefined;
      askAll();
    });
    wake = { atMs, cancel };
  }

  const toAsk = ({ leaseId, leaseMs, deadlineMs, hasAsked, exclude = new Set(), kinds }: Asking): LeaseAsk => ({
    id: leaseId,
    leaseMs,
    waitMs: Math.min(MAX_WAIT_MS, Math.max(0, deadlineMs - now())),
    isNew: !hasAsked,
    exclude: [...exclude],
    kinds: kinds ? preferred.filter((kind) => kinds.has(kind)) : preferred,
  });

  async function ask(askings: readonly Asking[]): Promise<Answer[]> {
    const askedAtMs = now();
    const asks = askings.map(toAsk);
    for (const asking of askings) asking.hasAsked = true;
    const { dueInMs = MAX_SILENCE_MS, answers } = await options.ask(asks);
    for (const [index, asking] of askings.entries()) {
      const answer = answers[index];
      if (answer?.kind !== 'wait') continue;
      asking.backAtMs = answer.backInMs === undefined ? undefined : now() + answer.backInMs;
      wakeIn(Math.min(dueInMs, MAX_SILENCE_MS));
    }
    return answers.map((answer) => (answer.kind === 'granted' ? { ...answer, askedAtMs } : answer));
  }

  /** Asks for the queue and the newcomers behind it, in their order; one such round at a time. */
  function askAll(): void {
    if (closed || (queue.size === 0 && newcomers.length === 0)) return;
    if (isAsking) {
      mustAskAgain = true;
      return;
    }
    isAsking = true;
    void askRound().finally(() => {
      isAsking = false;
      if (mustAskAgain || newcomers.length > 0) askAll();
    });
  }

  async function askRound(): Promise<void> {
    mustAskAgain = false;
    const parties = takeForemost([...queue.waiters(), ...newcomers.splice(0)]);
    try {
      const answers = await ask(parties.map(({ request }) => request));
      for (const [index, party] of parties.entries()) tell(party, answers[index] ?? unanswered);
      // Those behind the foremost may be next.
      if (answers.some(({ kind }) => kind !== 'wait')) mustAskAgain = true;
    } catch (error) {
      for (const party of parties) {
        if (isNewcomer(party)) party.answered.reject(error);
        else party.refuse(error as TurnError);
      }
    }
  }

  /** Of those who may use the same credentials the first ones: the others cannot be served before them, so they need not ask. */
  function takeForemost(parties: readonly Party[]): Party[] {
    const taken = new Map<string, number>();
    return parties.filter((party) => {
      const { exclude = [], kinds = [] } = party.request;
      const group = [[...exclude].sort().join(' '), [...kinds].sort().join(' ')].join('|');
      const before = taken.get(group) ?? 0;
      taken.set(group, before + 1);
      if (before >= MAX_ASKS && isNewcomer(party)) party.answered.resolve(unanswered);
      return before < MAX_ASKS;
    });
  }

  function tell(party: Party, answer: Answer): void {
    if (isNewcomer(party)) party.answered.resolve(answer);
    else if (answer.kind === 'refused') party.refuse(refuseForPoolState(answer.state, answer.untilMs, 0));
    else if (answer.kind === 'granted') {
      if (queue.has(party)) party.grant(answer);
      else options.giveBack(party.request.leaseId, party.request.leaseMs);
    }
  }

  /** Nobody is overtaken: who comes while others wait asks behind them. */
  async function firstAnswer(asking: Asking): Promise<Answer> {
    if (queue.size === 0 && !isAsking) return (await ask([asking]))[0] ?? unanswered;
    const answered = Promise.withResolvers<Answer>();
    newcomers.push({ request: asking, answered });
    askAll();
    return answered.promise;
  }

  async function askAndWait(asking: Asking): Promise<Granted> {
    const changesBefore = changes;
    const answer = await firstAnswer(asking);
    if (answer.kind === 'granted') return answer;
    if (answer.kind === 'refused') throw refuseForPoolState(answer.state, answer.untilMs, 0);
    asking.signal.throwIfAborted();
    if (closed) throw storeClosed();
    const refuse = (): TurnError => refuseForLackOfCapacity(asking.backAtMs, now());
    if (asking.deadlineMs <= now()) throw refuse();
    const granted = queue.join(asking, asking.deadlineMs, refuse);
    if (changes !== changesBefore) askAll();
    return granted;
  }

  return {
    async join(request, leaseId) {
      request.signal.throwIfAborted();
      if (closed) throw storeClosed();
      const deadlineMs = now() + request.waitMs;
      const granting = askAndWait({ ...request, leaseId, deadlineMs, backAtMs: undefined, hasAsked: false });
      return untilAborted(granting, request.signal, () => options.giveBack(leaseId, request.leaseMs));
    },
    poolChanged() {
      changes++;
      askAll();
    },
    refuseAll(error) {
      for (const waiter of queue.waiters()) waiter.refuse(error);
    },
    get size() {
      return queue.size;
    },
    close() {
      closed = true;
      wake?.cancel();
      for (const waiter of queue.waiters()) waiter.refuse(storeClosed());
      for (const { answered } of newcomers.splice(0)) answered.reject(storeClosed());
    },
  };
}

/** Rejects with the signal's reason at once when it aborts; `onUnwanted` hears when it is granted after that. */
async function untilAborted<T>(granting: Promise<T>, signal: AbortSignal, onUnwanted: () => void): Promise<T> {
  const left = Promise.withResolvers<never>();
  const onAbort = (): void => left.reject(signal.reason as Error);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([granting, left.promise]);
  } catch (error) {
    granting.then(onUnwanted, () => undefined);
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
