import { setTimeout as wait } from 'node:timers/promises';
import { postChat, scenario } from '../support/chat-client.ts';
import { chunksOf, joinChunks, readEventStream } from '../support/event-stream.ts';
import { between, pick } from './random.ts';
import type { Translator } from './translator-fleet.ts';

/** What became of one request. Times are of `performance.now()`. */
export interface Outcome {
  readonly translator: Translator;
  readonly fromMs: number;
  readonly toMs: number;
  /** `left`: the client went away, as it had meant to; otherwise the error code, or what broke. */
  readonly result: 'complete' | 'left' | { readonly failure: string };
}

/** Clients that ask again and again. */
export interface Load {
  readonly outcomes: readonly Outcome[];
  /** Which translator a request went to, by the number in its prompt. */
  translatorOf(request: number): Translator | undefined;
  /** One request for a short answer. */
  ask(translator: Translator): Promise<Outcome>;
  /** Resolves when the running ones are over. */
  stop(): Promise<void>;
}

/** The number of a request, in the text that the upstream gets to see. */
export const requestNumberIn = (text: string): number => Number(/chaos-(\d+)/.exec(text)?.[1] ?? Number.NaN);

const FRAME_MS = 100;
const SHORT_MS = 1_000;
const MAX_THINK_MS = 300;
const LEAVING_SHARE = 0.1;
const NOBODY_THERE_MS = 50;
/** Above the wait for a credential and the longest answer. */
const GIVE_UP_MS = 60_000;

/** Starts `clients` of them. Each sends to a translator that serves, as a balancer does; `longestMs`: the longest answer. */
export function offerLoad(options: {
  serving: () => readonly Translator[];
  clients: number;
  longestMs: number;
  /** How many clients go away before their answer is complete. Default: a tenth. */
  leavingShare?: number;
  random: () => number;
}): Load {
  const { serving, random, leavingShare = LEAVING_SHARE } = options;
  const translators = new Map<number, Translator>();
  const outcomes: Outcome[] = [];
  let requests = 0;
  let isOver = false;

  async function send(translator: Translator, longestMs: number, leavesAfterMs?: number): Promise<Outcome> {
    const request = ++requests;
    translators.set(request, translator);
    const fromMs = performance.now();
    const leaving = new AbortController();
    const timer = setTimeout(() => leaving.abort(), leavesAfterMs ?? GIVE_UP_MS);
    const frames = Math.ceil(between(random, 1, longestMs / FRAME_MS));
    let result: Outcome['result'];
    try {
      const prompt = scenario(`slow frames=${frames} delay=${FRAME_MS}`, `chaos-${request}`);
      const failure = await readAnswer(translator.url ?? '', prompt, frames, leaving.signal);
      result = failure === undefined ? 'complete' : { failure };
    } catch (reason) {
      const code = reason instanceof Error && reason.cause instanceof Error ? reason.cause.message : String(reason);
      result = leaving.signal.aborted && leavesAfterMs !== undefined ? 'left' : { failure: `broken: ${code}` };
    } finally {
      clearTimeout(timer);
    }
    return { translator, fromMs, toMs: performance.now(), result };
  }

  async function runClient(): Promise<void> {
    while (!isOver) {
      const translator = pick(random, serving());
      if (!translator) {
        await wait(NOBODY_THERE_MS);
        continue;
      }
      const leaves = random() < leavingShare ? between(random, 10, options.longestMs) : undefined;
      outcomes.push(await send(translator, options.longestMs, leaves));
      await wait(between(random, 0, MAX_THINK_MS));
    }
  }

  const running = Array.from({ length: options.clients }, runClient);
  return {
    outcomes,
    translatorOf: (request) => translators.get(request),
    ask: (translator) => send(translator, SHORT_MS),
    async stop() {
      isOver = true;
      await Promise.all(running);
    },
  };
}

/** Undefined for a complete answer, else why it is none. */
async function readAnswer(
  url: string,
  prompt: string,
  frames: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  const response = await postChat(url, prompt, { signal, body: { stream: true } });
  if (response.status !== 200) {
    const { error } = (await response.json()) as { error: { code: string } };
    return `${response.status} ${error.code}`;
  }
  const { text, errors, finishReasons } = joinChunks(chunksOf(await readEventStream(response).rest()));
  if (errors[0]) return `in stream: ${errors[0].code ?? errors[0].type}`;
  return finishReasons[0] === 'stop' && text.endsWith(`word${frames} `) ? undefined : 'incomplete';
}
