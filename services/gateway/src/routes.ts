/** One endpoint. */
export interface Route {
  /** For metrics: closed and few. */
  readonly name: string;
  /** The canonical path. `{id}` is one segment; `{id...}` is the rest, whose slashes belong to it. */
  readonly template: string;
  readonly path: RegExp;
  readonly methods: readonly string[];
  /** Counts against the concurrency limits. */
  readonly isTurn: boolean;
  /** Answered by the gateway itself, without a key. */
  readonly isPublic: boolean;
}

const reading = ['GET', 'HEAD'];
const posting = ['POST'];

/**
 * Every endpoint that is served (contract 4, 5.8); the first that fits counts. What asks the upstream for work is a turn: counting tokens and
 * reading what is stored are not. A model's id may hold slashes (contract 4.1).
 */
export const routes: readonly Route[] = [
  publicRoute('card', '/'),
  publicRoute('health', '/health'),
  // Claude Code asks it before anything else and takes any answer, if it comes quickly (contract 3.1).
  publicRoute('hello', '/api/hello'),
  publicRoute('hello', '/anthropic/api/hello'),
  turn('chat-completions', '/v1/chat/completions'),
  turn('completions', '/v1/completions'),
  turn('responses', '/v1/responses'),
  turn('messages', '/v1/messages'),
  turn('embeddings', '/v1/embeddings'),
  turn('images', '/v1/images/generations'),
  plain('response-input-tokens', '/v1/responses/input_tokens', posting),
  plain('response-input-items', '/v1/responses/{id}/input_items', reading),
  plain('response-cancel', '/v1/responses/{id}/cancel', posting),
  plain('response', '/v1/responses/{id}', [...reading, 'DELETE']),
  plain('count-tokens', '/v1/messages/count_tokens', posting),
  plain('models', '/v1/models', reading),
  plain('model', '/v1/models/{id...}', reading),
  plain('status', '/v1/status', reading),
];

/** For messages about what is supported. */
export const supportedEndpoints: readonly string[] = routes
  .filter(({ isPublic }) => !isPublic)
  .map(
    ({ methods, template }) =>
      `${methods.filter((method) => method !== 'HEAD').join('|')} ${template.replace('...', '')}`,
  );

/** Endpoints of OpenAI or Anthropic that are not served. */
export interface UnsupportedEndpoints {
  readonly path: RegExp;
  /** False: the family is there, and this endpoint of it is not (400 and not 404, contract 4.2). */
  readonly isUnknown: boolean;
}

/** What official clients may ask for in vain, canonical (contract 4.2). Comes before `routes`: an endpoint can look like an id. */
export const unsupportedEndpoints: readonly UnsupportedEndpoints[] = [
  { path: /^\/v1\/(?:images(?!\/generations$)|videos)(?:\/|$)/, isUnknown: false },
  { path: /^\/v1\/(?:chat\/completions\/|responses\/compact$|messages\/(?!count_tokens$))/, isUnknown: true },
  {
    path: /^\/v1\/(?:files|uploads|audio|realtime|moderations|batches|fine_tuning|fine-tunes|assistants|threads|vector_stores|conversations|evals|containers|skills|complete|edits|engines|organization|rerank)(?:\/|$)/,
    isUnknown: true,
  },
];

function publicRoute(name: string, template: string): Route {
  return { name, template, path: compile(template), methods: reading, isTurn: false, isPublic: true };
}

function turn(name: string, template: string): Route {
  return { name, template, path: compile(template), methods: posting, isTurn: true, isPublic: false };
}

function plain(name: string, template: string, methods: readonly string[]): Route {
  return { name, template, path: compile(template), methods, isTurn: false, isPublic: false };
}

function compile(template: string): RegExp {
  return new RegExp(`^${template.replace(/\{id(\.\.\.)?\}/, (_, rest?: string) => (rest ? '.+' : '[^/]+'))}$`);
}
