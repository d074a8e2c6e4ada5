import { anthropicMessages } from './anthropic-messages/index.ts';
import { canonicalPath, isAnthropicAlias } from './canonical-path.ts';
import type { TurnError } from '@zai2api/turn';
import type { ClientDialect, ErrorDialect } from './client-dialect.ts';
import { openAiChat } from './openai-chat/index.ts';
import { openAiCompletions } from './openai-completions/index.ts';
import { openAiResponses } from './openai-responses/index.ts';

const dialects: ReadonlyMap<string, ClientDialect> = new Map([
  ['/v1/chat/completions', openAiChat],
  ['/v1/completions', openAiCompletions],
  ['/v1/responses', openAiResponses],
  ['/v1/messages', anthropicMessages],
]);
/** The endpoints of stored responses speak the language of those that made them. */
const responsesPath = /^\/v1\/responses(?:\/|$)/;
const messagesPath = /^\/v1\/messages(?:\/|$)/;
const modelsPath = /^\/v1\/models(?:\/|$)/;

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** The dialect of a turn endpoint, by path without query, in any of its aliases; `undefined` for every other path. */
export function clientDialectForPath(path: string): ClientDialect | undefined {
  return dialects.get(canonicalPath(path));
}

/** The error shape that the client of a request expects, also where the path is unknown: always one, so that no failure goes out bare (contract 5.1). */
export function errorDialectForPath(path: string, headers: Headers): ErrorDialect {
  const canonical = canonicalPath(path);
  const dialect = dialects.get(canonical);
  if (dialect) return dialect;
  if (responsesPath.test(canonical)) return openAiResponses;
  return messagesPath.test(canonical) || speaksAnthropic(path, headers) ? anthropicMessages : openAiChat;
}

/** An error as a whole answer in the shape that the client of a request expects; `body` is its JSON text. */
export function encodeErrorForPath(
  error: TurnError,
  request: { readonly path: string; readonly headers: Headers; readonly requestId: string },
): { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string } {
  const { path, headers, requestId } = request;
  const encoded = errorDialectForPath(path, headers).encodeError(error, { requestId });
  return { ...encoded, body: JSON.stringify(encoded.body) };
}

/**
 * Whether the client of a path that several APIs share speaks the API of Anthropic: it says so by `anthropic-version` or by the alias that
 * it uses, or brings its key to the models as only such clients do (contract 4.1).
 */
export function speaksAnthropic(path: string, headers: Headers): boolean {
  if (headers['anthropic-version'] !== undefined || isAnthropicAlias(path)) return true;
  const hasTheirKey = !!headers['x-api-key'] && headers['authorization'] === undefined;
  return hasTheirKey && modelsPath.test(canonicalPath(path));
}
