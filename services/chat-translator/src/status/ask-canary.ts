import type { Logger } from '@zai2api/runtime';
import { TurnError, type TurnRequest } from '@zai2api/turn';
import { keepLease, type KeptLease } from '../turn/keep-lease.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import type { TryOutcome } from './judge-tries.ts';

/** Whom a question of our own is asked, and as whom. */
export interface AskCanaryOptions {
  readonly upstream: Pick<Upstream, 'driver' | 'credentials' | 'catalog' | 'outcomeOf'>;
  readonly leaseMs: number;
  /** The model that is asked. */
  readonly modelName: string;
  readonly logger: Logger;
}

/** For the whole question: an answer of one word is there within this, or the upstream is not well. */
const CANARY_TIMEOUT_MS = 30_000;
const unlimited = { ms: 0, variable: '' };

/**
 * One minimal turn on one credential, never tried again. Undefined when no credential is free at once: then traffic uses them, or the supply
 * is bad and says so itself. Never throws.
 */
export async function askCanary(options: AskCanaryOptions, signal: AbortSignal): Promise<TryOutcome | undefined> {
  const timeout = AbortSignal.timeout(CANARY_TIMEOUT_MS);
  const bounded = AbortSignal.any([signal, timeout]);
  const kept = await leaseAtOnce(options, bounded);
  if (!kept) return undefined;
  let failure: TurnError | undefined;
  try {
    failure = await ask(options, kept, bounded);
  } catch (reason) {
    failure = bounded.aborted ? TurnError.from(bounded.reason) : TurnError.from(reason);
  }
  await kept.release(options.upstream.outcomeOf(failure));
  return failure ? { result: 'failed', error: failure } : { result: 'good' };
}

async function leaseAtOnce(
  { upstream: { credentials, catalog }, leaseMs, modelName, logger }: AskCanaryOptions,
  signal: AbortSignal,
): Promise<KeptLease | undefined> {
  const model = catalog.known(modelName)?.model.upstreamId ?? modelName;
  return keepLease(credentials, { signal, waitMs: 0, leaseMs, model, logger }).catch(() => undefined);
}

async function ask(
  { upstream: { driver, catalog }, modelName }: AskCanaryOptions,
  { lease }: KeptLease,
  signal: AbortSignal,
): Promise<TurnError | undefined> {
  const { model } = await catalog.resolve(modelName, signal);
  const turn = {
    request: canaryRequest(modelName),
    warnings: [],
    media: [],
    model,
    thinking: false,
    search: false,
    timeouts: { idle: unlimited, firstToken: unlimited, total: unlimited },
  };
  for await (const batch of driver.run(turn, lease.credential, signal)) {
    const last = batch.at(-1);
    if (last?.type === 'turn-error') return last.error;
  }
  return undefined;
}

function canaryRequest(model: string): TurnRequest {
  return {
    model,
    messages: [{ role: 'user', text: 'Reply with: ok', attachments: [] }],
    reasoning: { enabled: false, visible: false },
    tools: [],
    toolChoice: { mode: 'none' },
    parallelToolCalls: false,
    responseFormat: { type: 'text' },
    sampling: { stop: [] },
  };
}
