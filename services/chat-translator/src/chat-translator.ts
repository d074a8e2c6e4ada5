import { randomUUID } from 'node:crypto';
import { clientDialectForPath, errorDialectForPath, type CodecContext, type WebProfile } from '@zai2api/dialects';
import type { CredentialStore } from '@zai2api/credentials';
import type { EncodedAnswer, RequestState, Runtime } from '@zai2api/runtime';
import { TurnError } from '@zai2api/turn';
import type { Middleware, ParameterizedContext } from 'koa';
import { estimateTokenCount } from 'tokenx';
import { Agent } from 'undici';
import type { TranslatorSettings } from './config.ts';
import { createTranslatorMetrics } from './metrics.ts';
import { createModelCatalog } from './models/model-catalog.ts';
import { answerTurn } from './routes/answer-turn.ts';
import { listModels, showModel } from './routes/list-models.ts';
import { keepLease } from './turn/keep-lease.ts';
import { createZaiWebDriver } from './zai-web/zai-web-driver.ts';

/** Client dialects in front, upstream drivers behind. */
export interface ChatTranslator {
  /** Serves the turn routes and `/v1/models`, any of their aliases; calls `next` for other paths. Failures are thrown as TurnErrors. */
  readonly middleware: Middleware<RequestState>;
  /** Learns what the first request would otherwise wait for: frontend version and models. Never throws. */
  warm(signal: AbortSignal): Promise<void>;
}

export interface ChatTranslatorOptions {
  readonly settings: TranslatorSettings;
  readonly profile: WebProfile;
  readonly runtime: Runtime;
  readonly credentials: CredentialStore;
  /** Holds every stream to the order rules of its events; for tests and development. */
  readonly checksEvents: boolean;
}

const CONNECT_TIMEOUT_MS = 10_000;
/** How long the model list waits for a token of its own: answers come first. */
const MODELS_CREDENTIAL_WAIT_MS = 2_000;
const modelPath = /^(?:\/v1|\/v1\/v1|\/api\/v1|\/openai\/v1|\/api\/paas\/v4)?\/models(?:\/(.+?))?\/?$/;

/** Wires the translator. Its connections and its last clean-ups end with the runtime's stop. */
export function createChatTranslator({
  settings,
  profile,
  runtime,
  credentials,
  checksEvents,
}: ChatTranslatorOptions): ChatTranslator {
  const { logger } = runtime;
  const metrics = createTranslatorMetrics(runtime.registry);
  const context: CodecContext = {
    now: () => Date.now(),
    newId: () => randomUUID().replaceAll('-', ''),
    countTokens: (text) => estimateTokenCount(text),
  };
  const dispatcher = new Agent({ connect: { timeout: CONNECT_TIMEOUT_MS }, connections: null });
  const driver = createZaiWebDriver({
    profile,
    fallbackFrontendVersion: settings.ZAI_FE_VERSION,
    requestTimeoutMs: settings.ZAI_REQUEST_TIMEOUT * 1000,
    deleteChats: settings.ZAI_DELETE_CHATS,
    dispatcher,
    context,
    logger,
  });
  const catalog = createModelCatalog({
    maxAgeMs: settings.ZAI_MODELS_CACHE_TTL * 1000,
    now: () => performance.now(),
    onFailure: (reason) => logger.warn({ err: reason }, 'the model list could not be read'),
    read: async () => {
      const signal = AbortSignal.timeout(settings.ZAI_REQUEST_TIMEOUT * 1000);
      const kept = await keepLease(credentials, { signal, waitMs: MODELS_CREDENTIAL_WAIT_MS }, (reason) =>
        logger.warn({ err: reason }),
      );
      try {
        return await driver.listModels(kept.lease.credential, signal);
      } finally {
        await kept.release({ result: 'good' });
      }
    },
  });
  const turnOptions = {
    settings,
    catalog,
    driver,
    credentials,
    credentialWaitMs: settings.ZAI_CREDENTIAL_WAIT * 1000,
    logger,
    metrics,
    checksEvents,
  };

  runtime.onStop('workers', 'upstream clean-up', async (deadline) => {
    await driver.stop(deadline);
    await dispatcher.close().catch(() => undefined);
  });

  return {
    async middleware(ctx, next) {
      const dialect = clientDialectForPath(ctx.path);
      if (dialect) {
        if (ctx.method !== 'POST') throw wrongMethod(ctx, 'POST');
        await answerTurn(ctx, dialect, turnOptions);
        return;
      }
      const [isModelPath, id] = modelPath.exec(ctx.path) ?? [];
      if (isModelPath === undefined) {
        await next();
        return;
      }
      if (ctx.method !== 'GET' && ctx.method !== 'HEAD') throw wrongMethod(ctx, 'GET, HEAD');
      if (id === undefined) await listModels(ctx, catalog);
      else await showModel(ctx, decodePath(id), catalog);
    },
    async warm(signal) {
      await Promise.allSettled([driver.refresh(signal), catalog.list(signal)]);
    },
  };
}

/** An error in the dialect of its path, for the error boundary of whichever process serves the translator. */
export function encodeErrorByPath(error: TurnError, ctx: ParameterizedContext<RequestState>): EncodedAnswer {
  const { status, headers, body } = errorDialectForPath(ctx.path, ctx.headers).encodeError(error);
  return { status, headers, body: JSON.stringify(body) };
}

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
