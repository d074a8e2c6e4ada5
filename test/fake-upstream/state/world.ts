import { createChats } from './chats.ts';
import { createFiles } from './files.ts';
import { createIdentities } from './identities.ts';
import { createRequestLog } from './request-log.ts';
import { createStreams } from './streams.ts';
import { changeSettings } from '../change-settings.ts';
import { defaultSettings } from '../settings.ts';
import type { Chats } from './chats.ts';
import type { Files } from './files.ts';
import type { Identities } from './identities.ts';
import type { RequestLog } from './request-log.ts';
import type { Streams } from './streams.ts';
import type { ReceivedRequest } from '../received-request.ts';
import type { FakeUpstreamSettings } from '../settings.ts';

/** All that one simulator knows; the routes are functions over it. */
export interface World {
  readonly log: RequestLog;
  readonly identities: Identities;
  readonly chats: Chats;
  readonly files: Files;
  readonly streams: Streams;
  /** Of the official API, which takes none twice (protocol 10.4). */
  readonly seenRequestIds: Set<string>;
  /** Told once per answered request. */
  readonly onAnswered: (request: ReceivedRequest) => void;
  /** Told of each completion that takes a place, and by the function that it returns, when that place is free again. */
  readonly onPlaceTaken: (request: ReceivedRequest) => () => void;
  readonly settings: () => FakeUpstreamSettings;
  readonly configure: (change: unknown) => void;
  /** The simulator's clock, in ms: the real one plus `clockOffsetMs`. */
  readonly nowMs: () => number;
  readonly nextRequestId: () => number;
  readonly reset: () => void;
}

export function createWorld(
  start: Partial<FakeUpstreamSettings>,
  onAnswered: World['onAnswered'] = () => undefined,
  onPlaceTaken: World['onPlaceTaken'] = () => () => undefined,
): World {
  const startSettings = changeSettings(defaultSettings, start);
  let settings = startSettings;
  let requestCount = 0;
  const nowMs = (): number => Date.now() + settings.clockOffsetMs;
  const log = createRequestLog();
  const identities = createIdentities(nowMs);
  const chats = createChats();
  const files = createFiles();
  const streams = createStreams();
  const seenRequestIds = new Set<string>();
  return {
    log,
    identities,
    chats,
    files,
    streams,
    seenRequestIds,
    onAnswered,
    onPlaceTaken,
    settings: () => settings,
    configure(change) {
      settings = changeSettings(settings, change);
    },
    nowMs,
    nextRequestId: () => (requestCount += 1),
    reset() {
      settings = startSettings;
      log.clear();
      identities.clear();
      chats.clear();
      files.clear();
      streams.clearPeaks();
      seenRequestIds.clear();
    },
  };
}
