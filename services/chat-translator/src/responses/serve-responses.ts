import type { RequestState } from '@zai2api/runtime';
import { TurnError } from '@zai2api/turn';
import type { ParameterizedContext } from 'koa';
import type { AnswerResponseOptions } from './answer-response-options.ts';
import { answerResponse } from './answer-response.ts';
import {
  cancelResponse,
  countInputTokens,
  deleteResponse,
  listInputItems,
  showResponse,
  type StoredResponsesOptions,
} from './stored-responses.ts';

type Context = ParameterizedContext<RequestState>;
type Options = AnswerResponseOptions & StoredResponsesOptions;
type Serve = (ctx: Context, id: string, options: Options) => Promise<void>;

interface Endpoint {
  /** A canonical path. */
  readonly template: string;
  readonly path: RegExp;
  readonly methods: Readonly<Record<string, Serve>>;
}

/** All of them; the first that fits counts (contract 2.2). */
const endpoints: readonly Endpoint[] = [
  endpoint('/v1/responses', { POST: (ctx, _id, options) => answerResponse(ctx, options) }),
  endpoint('/v1/responses/input_tokens', { POST: (ctx, _id, options) => countInputTokens(ctx, options) }),
  endpoint('/v1/responses/{id}', { GET: showResponse, HEAD: showResponse, DELETE: deleteResponse }),
  endpoint('/v1/responses/{id}/cancel', { POST: cancelResponse }),
  endpoint('/v1/responses/{id}/input_items', { GET: listInputItems, HEAD: listInputItems }),
];

/** An endpoint of the Responses API, ready to answer. */
export interface ResponseEndpoint {
  /** Its canonical path, with `{id}` for the id of a response. */
  readonly template: string;
  /** Answers. Throws a TurnError, `method_not_allowed` among others. */
  serve(ctx: Context, options: Options): Promise<void>;
}

/** The endpoint of a canonical path; `undefined` when it is none of the Responses API. */
export function findResponseEndpoint(path: string): ResponseEndpoint | undefined {
  for (const { template, path: pattern, methods } of endpoints) {
    const match = pattern.exec(path);
    if (!match) continue;
    const [, id = ''] = match;
    return {
      template,
      async serve(ctx, options) {
        const serve = Object.hasOwn(methods, ctx.method) ? methods[ctx.method] : undefined;
        if (!serve) throw wrongMethod(ctx, Object.keys(methods));
        await serve(ctx, id, options);
      },
    };
  }
  return undefined;
}

function endpoint(template: string, methods: Endpoint['methods']): Endpoint {
  return { template, path: new RegExp(`^${template.replace('{id}', '([^/]+)')}$`), methods };
}

function wrongMethod(ctx: Context, allowed: readonly string[]): TurnError {
  ctx.set('allow', allowed.join(', '));
  return new TurnError('method_not_allowed', `${ctx.method} is not allowed on ${ctx.path}.`, { layer: 'client' });
}
