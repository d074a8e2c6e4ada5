import {
  blamePlatformRequest,
  createZaiPlatformDecoder,
  decodePlatformEmbeddings,
  decodePlatformHttpError,
  decodePlatformImage,
  decodePlatformModels,
  encodePlatformCompletion,
  encodePlatformEmbeddings,
  encodePlatformHeaders,
  encodePlatformImage,
  limitedFields,
  MAX_TEXTS_PER_CALL,
  refusePlatformRequest,
  type CodecContext,
  type PlatformFile,
  type PlatformProfile,
} from '@zai2api/dialects';
import type { Logger } from '@zai2api/runtime';
import { TurnError, type TurnEvent, type TurnRequest, type TurnWarning } from '@zai2api/turn';
import type { Dispatcher } from 'undici';
import { streamAnswer } from '../http/stream-answer.ts';
import { createUpstreamClient, type UpstreamClientOptions } from '../http/upstream-client.ts';
import type { Media } from '../media/read-attachments.ts';
import { uniqueWarnings } from '../turn/unique-warnings.ts';
import type { UpstreamDriver } from '../upstream-driver.ts';

/** What the driver of the official API is made of. Milliseconds. */
export interface ZaiPlatformDriverOptions {
  readonly profile: PlatformProfile;
  readonly requestTimeoutMs: number;
  /** A picture takes longer than other short calls. */
  readonly imageTimeoutMs: number;
  readonly dispatcher: Dispatcher;
  readonly context: CodecContext;
  readonly logger: Logger;
}

/** The official API as a driver: a credential's token is an API key. */
export function createZaiPlatformDriver(options: ZaiPlatformDriverOptions): UpstreamDriver {
  const { profile, dispatcher, context, logger } = options;
  const now = (): number => context.now();
  const clientOptions = {
    dispatcher,
    now,
    timeoutMs: options.requestTimeoutMs,
    decodeError: (status: number, contentType: string, body: string, retryAfterSeconds: number | undefined) =>
      decodePlatformHttpError(status, contentType, body, { nowMs: now(), retryAfterSeconds }),
  } satisfies UpstreamClientOptions;
  const client = createUpstreamClient(clientOptions);
  const painter = createUpstreamClient({ ...clientOptions, timeoutMs: options.imageTimeoutMs });

  return {
    name: 'platform',
    limitsTokens: true,

    refuses: ({ request, model, media }) =>
      refusePlatformRequest(
        request,
        model.upstreamId,
        media.map(({ bytes, ...file }) => ({ ...file, sizeBytes: bytes.length })),
      ),

    async *run(turn, credential, signal) {
      const { request, model, thinking, search } = turn;
      const completion = encodePlatformCompletion({
        profile,
        key: credential.token,
        request,
        files: turn.media.map(encodeFile),
        upstreamModel: model.upstreamId,
        thinking,
        search,
        requestId: context.newId(),
      });
      const decoder = createZaiPlatformDecoder({
        model: request.model,
        warnings: uniqueWarnings([...turn.warnings, ...limitedFields(request, model.upstreamId).map(toWarning)]),
        prompt: () => promptOf(request),
        takesCalls: request.tools.length > 0,
        context,
      });
      try {
        for await (const batch of streamAnswer(completion, decoder, {
          client,
          timeouts: turn.timeouts,
          signal,
          logger,
        }))
          yield blameIn(batch, request);
      } catch (reason) {
        throw blamePlatformRequest(TurnError.from(reason), request);
      }
    },

    async listModels(credential, signal) {
      const headers = encodePlatformHeaders(profile, credential.token);
      return decodePlatformModels(await client.call({ method: 'GET', url: `${profile.base}/models`, headers }, signal));
    },

    async embed(request, { token }, signal) {
      const vectors: (readonly number[])[] = [];
      let inputTokens = 0;
      for (let at = 0; at < request.texts.length; at += MAX_TEXTS_PER_CALL) {
        const texts = request.texts.slice(at, at + MAX_TEXTS_PER_CALL);
        const encoded = encodePlatformEmbeddings({ profile, key: token, request: { ...request, texts } });
        const result = decodePlatformEmbeddings(await client.call(encoded, signal), texts.length);
        vectors.push(...result.vectors);
        inputTokens += result.inputTokens;
      }
      return { vectors, inputTokens };
    },

    async drawImage(request, { token }, signal) {
      return decodePlatformImage(await painter.call(encodePlatformImage({ profile, key: token, request }), signal));
    },

    // Nothing of this contract goes stale.
    refresh: () => Promise.resolve(),
    stop: () => Promise.resolve(),
  };
}

const encodeFile = ({ kind, bytes, mediaType, filename }: Media): PlatformFile => ({
  kind,
  dataUrl: `data:${mediaType};base64,${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')}`,
  filename,
});

/** The batch with the error at its end, if there is one, as it is to be told of this request. */
function blameIn(batch: TurnEvent[], request: TurnRequest): TurnEvent[] {
  const last = batch.at(-1);
  if (last?.type !== 'turn-error') return batch;
  return [...batch.slice(0, -1), { ...last, error: blamePlatformRequest(last.error, request) }];
}

const toWarning = (field: string): TurnWarning => ({ code: 'ignored-parameter', field });

/** What went up, for counting. */
const promptOf = ({ messages, tools }: TurnRequest): string =>
  [...messages.map(({ text }) => text), ...tools.map((tool) => JSON.stringify(tool.parameters))].join('\n');
