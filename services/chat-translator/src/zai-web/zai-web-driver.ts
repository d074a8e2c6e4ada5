import { randomUUID } from 'node:crypto';
import {
  createZaiWebDecoder,
  decodeChatId,
  decodeHttpError,
  decodeModels,
  encodeChatCreation,
  encodeChatDeletion,
  encodeCommonHeaders,
  encodeCompletion,
  encodeConversation,
  encodeFormatInstructions,
  nameAttachments,
  type CodecContext,
  type CompletionInput,
  type HistoryMode,
  type WebProfile,
} from '@zai2api/dialects';
import { isOutOfReach, withDeadline, type Logger } from '@zai2api/runtime';
import { TurnError, type ReasoningEffort, type TurnRequest } from '@zai2api/turn';
import type { Dispatcher } from 'undici';
import { signingFunctions } from '../signing-functions.ts';
import { streamAnswer } from '../http/stream-answer.ts';
import { createUpstreamClient } from '../http/upstream-client.ts';
import type { TurnTimeouts } from '../turn/turn-timeouts.ts';
import { uniqueWarnings } from '../turn/unique-warnings.ts';
import type { DriverTurn, UpstreamDriver } from '../upstream-driver.ts';
import { createBackgroundTasks } from './background-tasks.ts';
import { createFrontendVersion } from './frontend-version.ts';
import { ignoredByZaiWeb } from './ignored-parameters.ts';
import { createUpstreamClock } from './upstream-clock.ts';
import { uploadMedia } from './upload-media.ts';

/** What the driver of the web backend is made of. Milliseconds. */
export interface ZaiWebDriverOptions {
  readonly profile: WebProfile;
  /** Used until the live version was read, and when it cannot be. */
  readonly fallbackFrontendVersion: string;
  readonly requestTimeoutMs: number;
  readonly deleteChats: boolean;
  readonly historyMode: HistoryMode;
  readonly dispatcher: Dispatcher;
  readonly context: CodecContext;
  readonly logger: Logger;
}

/** A chat that cannot be had quickly is not waited for: the turn works without it (protocol 4.2). */
const CHAT_CREATION_TIMEOUT_MS = 10_000;

/** The first turn waits for the start page: not long, as there is a configured version. */
const PAGE_TIMEOUT_MS = 5_000;

/** The chat.z.ai web backend as a driver. */
export function createZaiWebDriver(options: ZaiWebDriverOptions): UpstreamDriver {
  const { profile, dispatcher, context, logger } = options;
  const localNow = (): number => context.now();
  const clock = createUpstreamClock(localNow);
  const client = createUpstreamClient({
    dispatcher,
    now: localNow,
    upstreamNow: () => clock.now(),
    timeoutMs: options.requestTimeoutMs,
    decodeError: decodeHttpError,
    onDate: (date, askedAtMs) => clock.learn(date, askedAtMs),
  });
  const background = createBackgroundTasks((reason) =>
    logger.debug({ err: reason }, 'an upstream chat was not deleted'),
  );
  const frontendVersion = createFrontendVersion({
    fallback: options.fallbackFrontendVersion,
    now: localNow,
    readPage: async () => {
      const headers = { ...encodeCommonHeaders(profile), Accept: 'text/html' };
      const page = await client.call(
        { method: 'GET', url: `${profile.base}/`, headers },
        AbortSignal.timeout(PAGE_TIMEOUT_MS),
      );
      return typeof page === 'string' ? page : '';
    },
    onReading: (version) =>
      version === undefined
        ? logger.warn({ configured: options.fallbackFrontendVersion }, 'the frontend version could not be read live')
        : logger.debug({ version }, 'read the frontend version'),
  });

  async function createChat(
    input: Omit<CompletionInput, 'chatId'>,
    { idle }: TurnTimeouts,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    // Who wants to know of silence soon does not wait for this any longer.
    const timeoutMs = idle.ms === 0 ? CHAT_CREATION_TIMEOUT_MS : Math.min(CHAT_CREATION_TIMEOUT_MS, idle.ms);
    try {
      const chatId = decodeChatId(
        await withDeadline(signal, timeoutMs, (bounded) => client.call(encodeChatCreation(input), bounded)),
      );
      if (chatId !== undefined) return chatId;
      logger.warn('the upstream created a chat without an id');
    } catch (reason) {
      const error = TurnError.from(reason);
      // These would only come back on the completion; all others do not fail the turn (protocol 12.3).
      if (signal.aborted || isOutOfReach(error) || error.code === 'upstream_blocked') throw error;
      if (error.details.reason === 'upstream_unauthorized') throw error;
      logger.warn({ err: error }, 'the upstream created no chat; going on without one');
    }
    return undefined;
  }

  /** Its files go with it as far as the upstream does that: no way to delete a single file is known (protocol 1.5, 7). */
  function deleteChat(token: string, chatId: string): void {
    if (!options.deleteChats) return;
    background.run(() => client.call(encodeChatDeletion({ profile, token, chatId }), new AbortController().signal));
  }

  return {
    name: 'web',

    async *run(turn, credential, signal) {
      const files = await uploadMedia(turn.media, { client, profile, credential }, signal);
      const conversation = encodeConversation(nameAttachments(turn.request.messages), {
        ...turn.request,
        mode: options.historyMode,
        closing: encodeFormatInstructions(turn.request.responseFormat, mayCallTools(turn.request)),
      });
      const input: Omit<CompletionInput, 'chatId'> = {
        profile,
        frontendVersion: await frontendVersion.current(signal),
        token: credential.token,
        userId: credential.userId,
        userName: credential.userName === '' ? 'Guest' : credential.userName,
        ...conversation,
        files,
        upstreamModel: turn.model.upstreamId,
        features: {
          thinking: turn.thinking,
          search: turn.search && turn.request.tools.length === 0,
          reasoningEffort: upstreamEffort(turn),
        },
        userMessageId: randomUUID(),
        assistantMessageId: randomUUID(),
        requestId: randomUUID(),
        timestampMs: clock.now(),
      };
      const chatId = await createChat(input, turn.timeouts, signal);
      // The first answers teach the clock: the signature takes the time as it is known now.
      const completion = encodeCompletion(
        { ...input, timestampMs: clock.now(), chatId: chatId ?? randomUUID() },
        signingFunctions,
      );
      const decoder = createZaiWebDecoder({
        model: turn.request.model,
        warnings: uniqueWarnings([...turn.warnings, ...ignoredByZaiWeb(turn.request)]),
        prompt: input.prompt,
        chatCreated: chatId !== undefined,
        tools: turn.request.tools.map(({ name }) => name),
        context,
      });
      try {
        yield* streamAnswer(completion, decoder, {
          client,
          timeouts: turn.timeouts,
          signal,
          logger,
          onRefusal: ({ code }) => {
            // The edge answers a stale version as it answers too many requests. Not this turn, but the next one can do better.
            if (code === 'upstream_blocked') frontendVersion.suspect();
          },
        });
      } finally {
        if (chatId !== undefined) deleteChat(credential.token, chatId);
      }
    },

    async listModels(credential, signal) {
      const headers = encodeCommonHeaders(profile, credential.token);
      return decodeModels(await client.call({ method: 'GET', url: `${profile.base}/api/models`, headers }, signal));
    },

    refresh: (signal) => frontendVersion.refresh(signal),
    frontendVersion: () => frontendVersion.latest(),
    stop: (deadline) => background.stop(deadline),
  };
}

const mayCallTools = ({ tools, toolChoice }: TurnRequest): boolean => tools.length > 0 && toolChoice.mode !== 'none';

/** The web backend knows two efforts, and only some models take one at all (protocol 4.6, contract 1.7). */
const effortByName: Record<ReasoningEffort, 'high' | 'max' | undefined> = {
  none: undefined,
  minimal: undefined,
  low: 'high',
  medium: 'high',
  high: 'high',
  xhigh: 'max',
  max: 'max',
};

function upstreamEffort({ model, thinking, request }: DriverTurn): 'high' | 'max' | undefined {
  const { effort } = request.reasoning;
  return model.capabilities.reasoningEffort && thinking && effort !== undefined ? effortByName[effort] : undefined;
}
