import { createHash } from 'node:crypto';
import type { PreparedTurn } from '../turn/prepare-turn.ts';

/**
 * The name under which the answer to a turn may be kept and shared: a digest of everything that was asked, to the letter, and of who asked.
 * Undefined for a turn whose answer may differ the next time: one that samples, calls tools, or searches the web.
 */
export function answerKeyOf({ request, media, thinking, search }: PreparedTurn, tenant: string): string | undefined {
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
  return hash.digest('hex');
}
