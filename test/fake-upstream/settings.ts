import type { HttpFault } from './http-faults.ts';

/** One model of `GET /api/models` (protocol 3.1); what is left out is false, the name defaults to the id. */
export interface FakeModel {
  readonly id: string;
  readonly name?: string | undefined;
  /** `info.is_active: false`: listed, but out of service. */
  readonly inactive?: boolean | undefined;
  /** `info.meta.hidden: true`: not shown in the web page. */
  readonly hidden?: boolean | undefined;
  readonly vision?: boolean | undefined;
  /** `capabilities.reasoning_effort`. */
  readonly reasoningEffort?: boolean | undefined;
}

/**
 * Every check and every fault of the simulator is one flat switch here. A fault is the name of a row of `http-faults.ts`
 * (`waf`, `401`, `429`, `500`, `hang`, `reset`, …) or null for none.
 */
export interface FakeUpstreamSettings {
  /** The answer when the prompt has no `[[scenario:…]]` marker; parameters may follow, as in `slow frames=20 delay=100`. */
  readonly scenario: string;
  /** Overrides `Hello from GLM. You said: …` in the answers that are not about special text; null keeps it. */
  readonly answerText: string | null;
  /** Into how many delta frames an answer is cut. */
  readonly answerFrames: number;
  /** The reasoning of thinking answers, without quote markers. */
  readonly thinkingText: string;
  /** Unit of `edit_index`; nobody knows the real one (protocol 12.7). */
  readonly editIndexUnit: 'code-points' | 'utf16';
  /** Silence before the first byte of a completion, in ms, after it took its concurrency slot. */
  readonly delayMs: number;
  /** Silence after each frame of a completion, in ms. */
  readonly frameDelayMs: number;

  /** The build that `GET /` names; completions from an older one are stale (protocol 4.4). */
  readonly frontendVersion: string;
  /** Refuse a missing or older `X-FE-Version`, in the way `staleVersionAnswer` says. */
  readonly checkFrontendVersion: boolean;
  /** `waf`: 405 HTML; `426`: HTTP 426; `in-stream`: `APP_VERSION_OUTDATED` in a 200 stream. */
  readonly staleVersionAnswer: 'waf' | '426' | 'in-stream';
  /** Refuse with 405 HTML when one of the query names of protocol 4.3 is missing; also 401 when the query token is not the Bearer token. */
  readonly checkQuery: boolean;
  /** Refuse with 405 HTML when a header of protocol 4.4 is missing, or `user_agent` differs from `User-Agent`. */
  readonly checkHeaders: boolean;
  /** 401 for a missing, unknown, expired or revoked token; off: any token is taken for a guest's. */
  readonly checkToken: boolean;
  /** Recompute `X-Signature` (protocol 4.5); a wrong one is 400. */
  readonly checkSignature: boolean;
  readonly signingSecret: string;
  /** How many 5-minute buckets the signed timestamp may be away from the simulator's clock; 0 = only the current one. */
  readonly bucketTolerance: number;
  /** Added to the real time for its clock and its `Date` header, in ms. */
  readonly clockOffsetMs: number;
  /** The query `user_id` must be the token's id. */
  readonly checkUserId: boolean;
  /** In-stream `MODEL_NOT_FOUND` for a model id that is not listed or not active. */
  readonly checkModel: boolean;
  /** The only models a guest may use (others: in-stream code 403); null = all. */
  readonly guestModels: readonly string[] | null;
  /** Human verification demanded on completions: of nobody, of guests, of everybody. No proof is ever accepted. */
  readonly requireVerification: boolean | 'guests';
  /** In-stream 429 beyond `perTokenConcurrency` running answers of one identity. */
  readonly checkConcurrency: boolean;
  readonly perTokenConcurrency: number;
  /** Running answers of everybody together beyond which `MODEL_CONCURRENCY_LIMIT` is answered; null = no limit. */
  readonly capacity: number | null;
  /** An unknown chat id still gets its answer, with `INTERNAL_ERROR` on the `done` frame (protocol 4.2). */
  readonly requireChat: boolean;
  /** In-stream `INTERNAL_ERROR` for a file that this identity did not upload, or that `files` and the content parts do not agree about. */
  readonly checkFiles: boolean;
  /** What a `tools` field in the body does (protocol 6). */
  readonly toolsInBody: 'error' | 'ignored';
  /** What more than one message does (protocol 12.4); `ignored`: only the last one is seen. */
  readonly multipleMessages: 'works' | 'error' | 'ignored';

  /** A row of `http-faults.ts` or a scenario call; answers completions before any check. */
  readonly completionFault: string | null;
  /** Counts down: how many more completions get `completionFault`; null = all. */
  readonly failTimes: number | null;
  readonly authFault: HttpFault | null;
  /** Counts down: how many more `auths` calls get `authFault`; null = all. */
  readonly authFailTimes: number | null;
  /** Silence before an `auths` answer, in ms. */
  readonly authDelayMs: number;
  /** For `GET /`. */
  readonly indexFault: HttpFault | null;
  readonly modelsFault: HttpFault | null;
  /** For creating, listing and reading chats. */
  readonly chatsFault: HttpFault | null;
  readonly chatDeleteFault: HttpFault | null;
  readonly filesFault: HttpFault | null;

  /** `GET /api/v1/auths/` with a dead token: a silent new guest, or 401 (protocol 12.13). */
  readonly deadTokenAnswer: 'guest' | '401';
  /** `GET /api/v1/auths/` with a live user token answers with a new token of the same user; the old one stays good. */
  readonly rotateUserTokens: boolean;
  /** Guest tokens get an `exp` and die after so many seconds; null = they live until revoked. */
  readonly guestLifetimeSeconds: number | null;
  /** `POST /api/v1/chats/new` gives the id at `chat.id` only, as some builds do. */
  readonly nestChatId: boolean;
  /** Replaces the built-in model list; null keeps it. */
  readonly models: readonly FakeModel[] | null;

  /** The keys of the official API that are good; null = any. */
  readonly platformKeys: readonly string[] | null;
  /** 1302 beyond so many running answers of one key; null = no limit. */
  readonly platformKeyConcurrency: number | null;
  /** The models of the official API; null keeps the built-in ones. */
  readonly platformModels: readonly string[] | null;
  /** Refuse what its schema does not have, or not for this model (protocol 10.2). */
  readonly checkPlatformBody: boolean;
  /** A code of protocol 10.4, a row of `http-faults.ts` or a scenario call; answers completions, embeddings and images before any check. */
  readonly platformFault: string | null;
  /** Counts down: how many more calls get `platformFault`; null = all. */
  readonly platformFailTimes: number | null;
  /** The same as `platformFault`, for single keys; never used up. */
  readonly platformKeyFaults: Readonly<Record<string, string>>;
  /** The same, for single models. */
  readonly platformModelFaults: Readonly<Record<string, string>>;
  /** A code or a row of `http-faults.ts`, for `GET /models`. */
  readonly platformModelsFault: string | null;
}

/** The simulator as it starts: every check on, no fault, `plain` answers. The secret is the public one (protocol 0.2). */
export const defaultSettings: FakeUpstreamSettings = {
  scenario: 'plain',
  answerText: null,
  answerFrames: 6,
  thinkingText: 'First idea.\nSecond idea.',
  editIndexUnit: 'code-points',
  delayMs: 0,
  frameDelayMs: 0,
  frontendVersion: 'prod-fe-1.1.98',
  checkFrontendVersion: true,
  staleVersionAnswer: 'waf',
  checkQuery: true,
  checkHeaders: true,
  checkToken: true,
  checkSignature: true,
  signingSecret: 'key-@@@@)))()((9))-xxxx&&&%%%%%',
  bucketTolerance: 0,
  clockOffsetMs: 0,
  checkUserId: true,
  checkModel: true,
  guestModels: null,
  requireVerification: false,
  checkConcurrency: true,
  perTokenConcurrency: 1,
  capacity: null,
  requireChat: true,
  checkFiles: true,
  toolsInBody: 'error',
  multipleMessages: 'works',
  completionFault: null,
  failTimes: null,
  authFault: null,
  authFailTimes: null,
  authDelayMs: 0,
  indexFault: null,
  modelsFault: null,
  chatsFault: null,
  chatDeleteFault: null,
  filesFault: null,
  deadTokenAnswer: 'guest',
  rotateUserTokens: false,
  guestLifetimeSeconds: null,
  nestChatId: false,
  models: null,
  platformKeys: null,
  platformKeyConcurrency: null,
  platformModels: null,
  checkPlatformBody: true,
  platformFault: null,
  platformFailTimes: null,
  platformKeyFaults: {},
  platformModelFaults: {},
  platformModelsFault: null,
};
