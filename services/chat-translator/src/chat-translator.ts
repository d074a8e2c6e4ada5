import { randomUUID } from 'node:crypto';
import {
  canonicalPath,
  clientDialectForPath,
  openAiResponses,
  type CodecContext,
  type WebProfile,
} from '@zai2api/dialects';
import type { CredentialStore } from '@zai2api/credentials';
import { nameServerSpan, type RequestState, type Runtime } from '@zai2api/runtime';
import { TurnError } from '@zai2api/turn';
import type { Middleware, ParameterizedContext } from 'koa';
import { Agent } from 'undici';
import { createBodyBudget } from './body/body-budget.ts';
import { createBodyReader } from './body/body-reader.ts';
import { createSharedAnswers } from './answer/shared-answers.ts';
import type { TranslatorSettings } from './config.ts';
import { estimateTokens } from './estimate-tokens.ts';
import { createTranslatorMetrics, observeBodyBytes, observeCredentialWaiters } from './metrics.ts';
import { createMediaFetcher, type MediaGuardOptions } from './media/fetch-media.ts';
import { createAttachmentReader } from './media/read-attachments.ts';
import { contextOf } from './models/context-tokens.ts';
import { createModelDirectory } from './models/model-directory.ts';
import { createFollowerPlaces } from './responses/follower-places.ts';
import { createKeptRuns } from './responses/kept-runs.ts';
import type { ResponseStore } from './responses/response-store.ts';
import { findResponseEndpoint } from './responses/serve-responses.ts';
import { answerEmbeddings } from './routes/answer-embeddings.ts';
import { answerImages } from './routes/answer-images.ts';
import { answerTurn } from './routes/answer-turn.ts';
import { countRequestTokens } from './routes/count-tokens.ts';
import { listModels, showModel } from './routes/list-models.ts';
import { showStatus } from './routes/show-status.ts';
import { createTextSeals } from './seal-text.ts';
import { startCanary } from './status/start-canary.ts';
import { registerStatusMetrics } from './status/upstream-status.ts';
import { inApiOf } from './telemetry/api-type.ts';
import { createSchemaChecks } from './turn/schema-check.ts';
import { openUpstreams } from './upstreams/open-upstreams.ts';

/** Client dialects in front, upstream drivers behind. */
export interface ChatTranslator {
  /** Serves the turn routes, `/v1/models` and `/v1/status`, any of their aliases; calls `next` for other paths. Failures are thrown as TurnErrors. */
  readonly middleware: Middleware<RequestState>;
  /** Learns what the first request would otherwise wait for: frontend version and models. Never throws. */
  warm(signal: AbortSignal): Promise<void>;
}

/** What the translator is wired from. */
export interface ChatTranslatorOptions {
  readonly settings: TranslatorSettings;
  readonly profile: WebProfile;
  readonly runtime: Runtime;
  /** Guest and user tokens of the web backend; undefined where there can be none. */
  readonly credentials: CredentialStore | undefined;
  /** Stays the caller's, who closes it after the workers. */
  readonly responses: ResponseStore;
  /** Loosens the guard before addresses that clients name; for tests, which have no public hosts. */
  readonly mediaGuard?: Omit<MediaGuardOptions, 'allowHttp'> | undefined;
  /** Holds every stream to the order rules of its events; for tests and development. */
  readonly checksEvents: boolean;
}

/** How long a request waits for the memory of its body. Large bodies are read and sent on within a second or two. */
const BODY_WAIT_MS = 5_000;
/** Clients that may read along with one response in one process: a page and its other tabs, or one that keeps losing its connection. */
const MAX_FOLLOWERS = 16;
const modelPath = /^\/v1\/models(?:\/(.+))?$/;

/** Wires the translator. Its connections and its last clean-ups end with the runtime's stop. */
export function createChatTranslator({
  settings,
  profile,
  runtime,
  credentials,
  responses,
  mediaGuard,
  checksEvents,
}: ChatTranslatorOptions): ChatTranslator {
  const { logger } = runtime;
  const metrics = createTranslatorMetrics(runtime.registry);
  if (credentials) observeCredentialWaiters(runtime.registry, credentials);
  const bodyBudget = createBodyBudget({ limit: settings.ZAI_MAX_BODIES_BYTES, waitMs: BODY_WAIT_MS });
  observeBodyBytes(runtime.registry, () => bodyBudget.claimed());
  const context: CodecContext = {
    now: () => Date.now(),
    newId: () => randomUUID().replaceAll('-', ''),
    // No tokenizer of another maker counts as the upstream does, and the tables of one would add half of the process's memory again.
    countTokens: estimateTokens,
  };
  const dispatcher = new Agent({ connect: { timeout: settings.ZAI_CONNECT_TIMEOUT * 1000 }, connections: null });
  const schemas = createSchemaChecks();
  const upstreams = openUpstreams({
    settings,
    profile,
    webCredentials: credentials,
    dispatcher,
    context,
    schemas,
    runtime,
  });
  const directory = createModelDirectory({
    upstreams,
    aliases: settings.ZAI_MODEL_ALIASES,
    contextOf: (model) => contextOf(settings.ZAI_CONTEXT_TOKENS, model),
    fallbacks: settings.ZAI_MODEL_FALLBACKS,
    defaultModel: settings.ZAI_MODEL_NAME,
  });
  const leaseMs = settings.ZAI_CREDENTIAL_LEASE * 1000;
  const fetchMedia = createMediaFetcher({ ...mediaGuard, allowHttp: settings.ZAI_MEDIA_ALLOW_HTTP });
  const readAttachments = createAttachmentReader({
    fetchMedia,
    maxBytesPerFile: settings.ZAI_MEDIA_MAX_BYTES,
    maxBytes: settings.ZAI_MAX_BODY_BYTES,
    timeoutMs: settings.ZAI_MEDIA_TIMEOUT * 1000,
  });
  const answers =
    settings.ZAI_CONTENT_CACHE_TTL > 0
      ? createSharedAnswers({
          ttlMs: settings.ZAI_CONTENT_CACHE_TTL * 1000,
          maxAnswers: settings.ZAI_CACHE_MAX_SIZE,
          now: context.now,
          newId: context.newId,
          onJoin: (outcome) => metrics.answerCache.inc({ outcome }),
        })
      : undefined;
  const sealFor = createTextSeals(settings.ZAI_SEAL_SECRET?.reveal());
  const turnOptions = {
    clientContextFor: (tenant: string) => ({ now: context.now, newId: context.newId, ...sealFor(tenant) }),
    settings,
    bodies: createBodyReader({ maxBytes: settings.ZAI_MAX_BODY_BYTES, budget: bodyBudget }),
    catalog: directory,
    readAttachments,
    schemas,
    upstreams,
    answers,
    credentialWaitMs: settings.ZAI_CREDENTIAL_WAIT * 1000,
    leaseMs,
    retryBudgetMs: settings.ZAI_RETRY_BUDGET * 1000,
    logger,
    metrics,
    countTokens: context.countTokens,
    checksEvents,
  };

  const runs = createKeptRuns({
    store: responses,
    logger,
    metrics,
    maxBackground: settings.ZAI_RESPONSES_MAX_BACKGROUND,
  });
  // With the answers that have a client; and once more for those that were begun by one of the last requests.
  for (const phase of ['servers', 'workers'] as const) {
    runtime.onStop(phase, 'kept responses', (deadline) => runs.stop(deadline));
  }
  const responseOptions = {
    ...turnOptions,
    store: responses,
    runs,
    followers: createFollowerPlaces(MAX_FOLLOWERS),
    heartbeatMs: settings.ZAI_SSE_HEARTBEAT_SECONDS * 1000,
  };

  const imageOptions = {
    ...turnOptions,
    aliases: settings.ZAI_MODEL_ALIASES,
    fetchMedia,
    maxImageBytes: settings.ZAI_MEDIA_MAX_BYTES,
    fetchTimeoutMs: settings.ZAI_MEDIA_TIMEOUT * 1000,
    now: context.now,
  };
  const sideRoutes: ReadonlyMap<string, (ctx: ParameterizedContext<RequestState>) => Promise<void>> = new Map([
    ['/v1/messages/count_tokens', (ctx) => countRequestTokens(ctx, turnOptions)],
    ['/v1/embeddings', (ctx) => answerEmbeddings(ctx, imageOptions)],
    ['/v1/images/generations', (ctx) => answerImages(ctx, imageOptions)],
  ]);

  registerStatusMetrics(
    runtime.registry,
    upstreams.map(({ status }) => status),
  );
  for (const upstream of upstreams) {
    // A detail only: the one pod that there may be must not leave its service because the upstream refuses it.
    runtime.addReadinessDetail(`upstream ${upstream.name}`, () => upstream.status.readTries().state);
    const intervalMs = settings.ZAI_CANARY_INTERVAL * 1000;
    const modelName = settings.ZAI_MODEL_NAME;
    if (intervalMs > 0) startCanary({ upstream, intervalMs, leaseMs, modelName, now: context.now, metrics, runtime });
  }

  runtime.onStop('workers', 'upstream clean-up', async (deadline) => {
    await Promise.all(upstreams.map(({ driver }) => driver.stop(deadline)));
    await dispatcher.close().catch(() => undefined);
  });

  return {
    async middleware(ctx, next) {
      const endpoint = findResponseEndpoint(canonicalPath(ctx.path));
      if (endpoint) {
        nameServerSpan(ctx.method, endpoint.template);
        await inApiOf(openAiResponses, () => endpoint.serve(ctx, responseOptions));
        return;
      }
      const dialect = clientDialectForPath(ctx.path);
      if (dialect) {
        if (ctx.method !== 'POST') throw wrongMethod(ctx, 'POST');
        nameServerSpan(ctx.method, canonicalPath(ctx.path));
        await inApiOf(dialect, () => answerTurn(ctx, dialect, turnOptions));
        return;
      }
      const path = canonicalPath(ctx.path);
      const sideRoute = sideRoutes.get(path);
      if (sideRoute) {
        if (ctx.method !== 'POST') throw wrongMethod(ctx, 'POST');
        nameServerSpan(ctx.method, path);
        await sideRoute(ctx);
        return;
      }
      if (path === '/v1/status') {
        if (!isReading(ctx)) throw wrongMethod(ctx, 'GET, HEAD');
        await showStatus(ctx, { upstreams, directory, now: context.now });
        return;
      }
      const [isModelPath, id] = modelPath.exec(path) ?? [];
      if (isModelPath === undefined) {
        await next();
        return;
      }
      if (!isReading(ctx)) throw wrongMethod(ctx, 'GET, HEAD');
      if (id === undefined) await listModels(ctx, directory);
      else await showModel(ctx, decodePath(id), directory);
    },
    async warm(signal) {
      await Promise.allSettled([...upstreams.map(({ driver }) => driver.refresh(signal)), directory.list(signal)]);
    },
  };
}

const isReading = ({ method }: { readonly method: string }): boolean => method === 'GET' || method === 'HEAD';

function wrongMethod(ctx: ParameterizedContext<RequestState>, allowed: string): TurnError {
  ctx.set('allow', allowed);
  return new TurnError('method_not_allowed', `${ctx.method} is not allowed on ${ctx.path}.`, { layer: 'client' });
}

function decodePath(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
