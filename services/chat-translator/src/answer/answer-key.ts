import { createHash } from 'node:crypto';
import type { PreparedTurn } from '../turn/prepare-turn.ts';

/** Under what the answer to a turn is known. */
export interface AnswerKeys {
  /** Of all that was asked, to the letter, and of who asked: an answer is kept under it. */
  readonly answer: string;
  /** Of the limits, too, which end a run: those who share one have the same, and so streamed and whole answers have runs of their own. */
  readonly run: string;
}

/**
 * The names under which the answer to a turn may be kept and shared. Undefined for a turn whose answer may differ the next time: one that
 * samples, calls tools, or searches the web.
 */
export function answerKeysOf(
  { request, media, thinking, search, routes }: PreparedTurn,
  tenant: string,
): AnswerKeys | undefined {
  const isDeterministic = request.sampling.temperature === 0 && request.tools.length === 0 && !search;
  if (!isDeterministic) return undefined;
  const hash = createHash('sha256');
  // The neutral request has its fields in one order, whoever's words it was made of.
  hash.update(
    JSON.stringify([
      tenant,
      request,
      thinking,
      media.map(({ kind, mediaType, filename }) => [kind, mediaType, filename]),
    ]),
  );
  for (const { bytes } of media) {
    hash.update(`\n${bytes.length}\n`);
    hash.update(bytes);
  }
  const answer = hash.digest('hex');
  return { answer, run: `${answer} ${JSON.stringify(routes.map(({ timeouts }) => timeouts))}` };
}
