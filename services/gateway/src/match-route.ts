/** One endpoint. `path` is canonical, below `/v1`. */
export interface Route {
  /** For metrics: closed and few. */
  readonly name: string;
  readonly path: RegExp;
  readonly methods: readonly string[];
  /** Counts against the concurrency limit. */
  readonly isTurn: boolean;
  /** Answered by the gateway itself, without a key. */
  readonly isPublic: boolean;
}

/** What a request's method and path mean. `path` is the canonical one, where an alias or a trailing slash was used. */
export type RouteMatch =
  | { readonly kind: 'route'; readonly route: Route; readonly path: string }
  | { readonly kind: 'wrong-method'; readonly route: Route }
  | { readonly kind: 'unsupported' }
  | { readonly kind: 'unknown' };

const reading = ['GET', 'HEAD'];

/** Every endpoint that is served. The rest of a model's path is its id, which may hold slashes (contract 4.1). */
export const routes: readonly Route[] = [
  { name: 'card', path: /^\/$/, methods: reading, isTurn: false, isPublic: true },
  { name: 'health', path: /^\/health$/, methods: reading, isTurn: false, isPublic: true },
  { name: 'chat-completions', path: /^\/v1\/chat\/completions$/, methods: ['POST'], isTurn: true, isPublic: false },
  { name: 'models', path: /^\/v1\/models$/, methods: reading, isTurn: false, isPublic: false },
  { name: 'model', path: /^\/v1\/models\/.+$/, methods: reading, isTurn: false, isPublic: false },
  { name: 'status', path: /^\/v1\/status$/, methods: reading, isTurn: false, isPublic: false },
];

/** Names for messages about what is supported. */
export const supportedEndpoints = [
  'POST /v1/chat/completions',
  'GET /v1/models',
  'GET /v1/models/{id}',
  'GET /v1/status',
];

/** Endpoint families of OpenAI and Anthropic that are not served, below `/v1` (contract 4.2). */
const unsupportedFamilies =
  /^\/v1\/(chat\/completions\/.+|(completions|embeddings|images|videos|files|uploads|audio|realtime|moderations|batches|fine_tuning|fine-tunes|assistants|threads|vector_stores|conversations|evals|responses|messages)(\/.*)?)$/;

/** Bases that users put before an endpoint, longest first (contract 5.8). */
const aliasBases = ['/api/paas/v4/', '/openai/v1/', '/api/v1/', '/v1/v1/', '/v1/', '/'];

/** Finds the endpoint of a path without query; tolerates a trailing slash and the alias bases. */
export function matchRoute(method: string, path: string): RouteMatch {
  const candidates = canonicalPaths(path);
  for (const candidate of candidates) {
    const route = routes.find((each) => each.path.test(candidate));
    if (route !== undefined) {
      return route.methods.includes(method)
        ? { kind: 'route', route, path: candidate }
        : { kind: 'wrong-method', route };
    }
  }
  return candidates.some((candidate) => unsupportedFamilies.test(candidate))
    ? { kind: 'unsupported' }
    : { kind: 'unknown' };
}

function canonicalPaths(path: string): string[] {
  const trimmed = path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
  const base = aliasBases.find((each) => trimmed.startsWith(each));
  return base === undefined ? [trimmed] : [trimmed, `/v1/${trimmed.slice(base.length)}`];
}
