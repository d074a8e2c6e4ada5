import { createHash } from 'node:crypto';
import type { Credential } from '../credential.ts';
import type { KindCounts, Lease, LeaseOutcome, PoolCounts } from '../credential-store.ts';
import type { BadPoolState, PoolState } from '../pool-state.ts';
import type { RedisClient } from './guard-redis.ts';
import type { PoolKeys } from './pool-keys.ts';
import {
  countCredentialsLua,
  listIdsLua,
  putCredentialLua,
  removeCredentialLua,
  retireExpiredLua,
  setPoolStateLua,
} from './scripts/keep-credentials.ts';
import { leaseCredentialsLua } from './scripts/lease-credentials.ts';
import { releaseLeaseLua, renewLeaseLua } from './scripts/release-lease.ts';
import { traceCommand } from './trace-command.ts';

/** One lease request as the script takes it. */
export interface LeaseAsk {
  /** Id of the lease to come, chosen by who asks: the same one never gives two leases. */
  readonly id: string;
  readonly leaseMs: number;
  readonly waitMs: number;
  /** Asked for the first time: if it has to wait, the refresher hears of it. */
  readonly isNew: boolean;
  readonly exclude: readonly string[];
  /** In the order of preference. */
  readonly kinds: readonly Credential['kind'][];
}

/** What became of one ask: a lease, a refusal because of the pool's state, or a wait. Milliseconds. */
export type LeaseAnswer =
  | { readonly kind: 'granted'; readonly fence: number; readonly credential: Credential }
  | { readonly kind: 'refused'; readonly state: BadPoolState; readonly untilMs: number }
  | { readonly kind: 'wait'; readonly backInMs: number | undefined };

/** The pool in Redis, one command for each method. Times that come back are milliseconds from now. */
export interface PoolCommands {
  lease(asks: readonly LeaseAsk[]): Promise<{ readonly dueInMs: number | undefined; readonly answers: LeaseAnswer[] }>;
  release(leaseId: string, outcome: LeaseOutcome): Promise<void>;
  renew(leaseId: string, lease: Pick<Lease, 'credential' | 'fence'>, leaseMs: number): Promise<boolean>;
  put(credential: Credential): Promise<void>;
  remove(id: string): Promise<void>;
  retireExpired(byMs: number | undefined): Promise<Credential[]>;
  counts(): Promise<Omit<PoolCounts, 'waiting'>>;
  ids(kind: Credential['kind']): Promise<string[]>;
  setPoolState(state: PoolState): Promise<void>;
  poolState(): Promise<PoolState>;
}

/** How the commands reach their server. */
export interface PoolCommandsOptions {
  readonly client: RedisClient;
  readonly keys: PoolKeys;
  /** Milliseconds since the epoch; undefined: the clock of the server. */
  readonly clock: (() => number) | undefined;
  /** After this time nobody waits any more for an answer, and a lease request has no effect. */
  readonly timeoutMs: number;
}

/** Rejects as the client does. */
export function createPoolCommands({ client, keys, clock, timeoutMs }: PoolCommandsOptions): PoolCommands {
  /** The clock of the server less ours, as of its last answer. */
  let serverOffsetMs: number | undefined;

  async function run(script: Script, ...values: (string | number)[]): Promise<unknown> {
    const nowText = clock ? String(Math.floor(clock())) : '';
    const all = [...keys.all, nowText, keys.channel, ...values];
    return traceCommand('EVALSHA', script.name, async () => {
      try {
        return await client.evalsha(script.digest, keys.all.length, ...all);
      } catch (error) {
        // A server that was restarted, or that nobody has used yet.
        if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
        return client.eval(script.lua, keys.all.length, ...all);
      }
    });
  }

  return {
    async lease(asks) {
      const askedAtMs = performance.now();
      const isSteady = clock === undefined && serverOffsetMs !== undefined;
      // What a server that stood still finds in its buffers must take no slot from those who still run.
      const notAfterMs = isSteady ? Math.ceil(askedAtMs + (serverOffsetMs ?? 0) + timeoutMs) : '';
      const ask = async (limit: number | ''): Promise<LeaseReply> => {
        const reply = (await run(scripts.lease, JSON.stringify(asks), limit)) as LeaseReply;
        serverOffsetMs = reply[0] - performance.now();
        return reply;
      };
      let [, dueInMs, ...answers] = await ask(notAfterMs);
      const isWaitedFor = performance.now() - askedAtMs < timeoutMs;
      // The clock of the server has moved, or it is another server.
      if (dueInMs === 'stale' && isWaitedFor) [, dueInMs, ...answers] = await ask('');
      if (dueInMs === 'stale') return { dueInMs: undefined, answers: asks.map(() => nothingYet) };
      return { dueInMs: atLeastZero(dueInMs), answers: answers.map(decodeAnswer) };
    },
    async release(leaseId, outcome) {
      await run(scripts.release, leaseId, outcome.result, 'coolDownMs' in outcome ? outcome.coolDownMs : 0);
    },
    async renew(leaseId, { fence, credential: { id, token } }, leaseMs) {
      return (await run(scripts.renew, leaseId, leaseMs, fence, sha1Of(token), id)) === 1;
    },
    async put(credential) {
      const { id, kind, concurrency, expiresAtMs } = credential;
      await run(scripts.put, id, kind, concurrency, encodeTime(expiresAtMs), JSON.stringify(credential));
    },
    async remove(id) {
      await run(scripts.remove, id);
    },
    async retireExpired(byMs) {
      const retired = (await run(scripts.retire, byMs === undefined ? '' : encodeTime(byMs))) as string[];
      return retired.map(decodeCredential);
    },
    async counts() {
      const numbers = (await run(scripts.count)) as number[];
      return { user: toKindCounts(numbers.slice(0, 5)), guest: toKindCounts(numbers.slice(5)) };
    },
    ids: async (kind) => (await run(scripts.ids, kind)) as string[],
    async setPoolState(state) {
      const isOk = state.state === 'ok';
      await run(scripts.setState, state.state, isOk ? '0' : encodeTime(state.untilMs), isOk ? '' : state.reason);
    },
    async poolState() {
      const [state, untilMs, reason] = await traceCommand('HMGET', undefined, () =>
        client.hmget(keys.meta, 'state', 'untilMs', 'reason'),
      );
      if (!state || state === 'ok') return { state: 'ok' };
      return { state: state as BadPoolState, untilMs: decodeTime(untilMs), reason: reason ?? '' };
    },
  };
}

interface Script {
  /** For traces. */
  readonly name: string;
  readonly lua: string;
  readonly digest: string;
}

const sha1Of = (text: string): string => createHash('sha1').update(text).digest('hex');
const scriptOf = (name: string, lua: string): Script => ({ name, lua, digest: sha1Of(lua) });

const scripts = {
  lease: scriptOf('lease', leaseCredentialsLua),
  release: scriptOf('release', releaseLeaseLua),
  renew: scriptOf('renew', renewLeaseLua),
  put: scriptOf('put', putCredentialLua),
  remove: scriptOf('remove', removeCredentialLua),
  retire: scriptOf('retire', retireExpiredLua),
  count: scriptOf('count', countCredentialsLua),
  ids: scriptOf('ids', listIdsLua),
  setState: scriptOf('set-state', setPoolStateLua),
};

/** The clock of the server, then when something is due, then an answer for each request; or only that the time of the requests is over. */
type LeaseReply = [nowMs: number, dueInMs: number | 'stale', ...WireAnswer[]];

const nothingYet: LeaseAnswer = { kind: 'wait', backInMs: undefined };

type WireAnswer =
  | readonly ['granted', fence: number, credential: string]
  | readonly ['refused', state: string, untilMs: number]
  | readonly ['wait', backInMs: number];

function decodeAnswer(answer: WireAnswer): LeaseAnswer {
  switch (answer[0]) {
    case 'granted':
      return { kind: 'granted', fence: answer[1], credential: decodeCredential(answer[2]) };
    case 'refused':
      return { kind: 'refused', state: answer[1] as BadPoolState, untilMs: answer[2] };
    case 'wait':
      return { kind: 'wait', backInMs: atLeastZero(answer[1]) };
  }
}

/** JSON has no infinity: it comes back as null. */
function decodeCredential(text: string): Credential {
  const { expiresAtMs, ...rest } = JSON.parse(text) as Omit<Credential, 'expiresAtMs'> & {
    expiresAtMs: number | null;
  };
  return { ...rest, expiresAtMs: expiresAtMs ?? Infinity };
}

function toKindCounts([ready = 0, leased = 0, coolingDown = 0, challenged = 0, expired = 0]: number[]): KindCounts {
  return { ready, leased, coolingDown, challenged, total: ready + leased + coolingDown + challenged, expired };
}

const encodeTime = (ms: number): string => (ms === Infinity ? 'inf' : ms === -Infinity ? '-inf' : String(ms));
const decodeTime = (text: string | null | undefined): number => (text === 'inf' ? Infinity : Number(text ?? 0));
const atLeastZero = (ms: number): number | undefined => (ms < 0 ? undefined : ms);
