import { canonicalPath } from './canonical-path.ts';
import type { ClientDialect, ErrorDialect } from './client-dialect.ts';
import { openAiChat } from './openai-chat/index.ts';
import { openAiCompletions } from './openai-completions/index.ts';
import { openAiResponses } from './openai-responses/index.ts';

const dialects: ReadonlyMap<string, ClientDialect> = new Map([
  ['/v1/chat/completions', openAiChat],
  ['/v1/completions', openAiCompletions],
  ['/v1/responses', openAiResponses],
]);
/** The endpoints of stored responses speak the language of those that made them. */
const responses = /^\/v1\/responses(?:\/|$)/;

/** The dialect of a turn endpoint, by path without query, in any of its aliases; `undefined` for every other path. */
export function clientDialectForPath(path: string): ClientDialect | undefined {
  return dialects.get(canonicalPath(path));
}

/** The error shape that clients of this path expect, also where the path is unknown: always one, so that no failure goes out bare. */
export const errorDialectForPath: (
  path: string,
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
) => ErrorDialect = (path) => (responses.test(canonicalPath(path)) ? openAiResponses : openAiChat);
