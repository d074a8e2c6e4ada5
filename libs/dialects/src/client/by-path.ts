import type { ClientDialect, ErrorDialect } from './client-dialect.ts';
import { openAiChat } from './openai-chat/index.ts';

/** Bases that users put before a route: all of them reach the same handlers (contract 5.8). */
const bases = ['/v1', '', '/v1/v1', '/api/v1', '/openai/v1', '/api/paas/v4'];

const dialects: ReadonlyMap<string, ClientDialect> = new Map(
  bases.map((base) => [`${base}/chat/completions`, openAiChat]),
);

/** The dialect of a turn endpoint, by path without query. A trailing slash is tolerated; `undefined` for every other path. */
export function clientDialectForPath(path: string): ClientDialect | undefined {
  return dialects.get(path.endsWith('/') ? path.slice(0, -1) : path);
}

/** The error shape that clients of this path expect, also where the path is unknown: always one, so that no failure goes out bare. */
export const errorDialectForPath: (
  path: string,
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
) => ErrorDialect = () => openAiChat;
