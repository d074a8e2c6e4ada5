/** One load: `clients` callers, each asking again as soon as its last answer is over. */
export interface LoadJob {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly clients: number;
  /** How often each client asks. */
  readonly requestsPerClient?: number;
  /** Instead: no request begins later than this after the start. */
  readonly durationMs?: number;
  /** Text that stands once in every token of the upstream, and nowhere else. */
  readonly token: string;
  /** What a complete answer contains. */
  readonly mark: string;
}

/** What came of it. Times are in milliseconds; each list has one value per answer, `gapsMs` one per network chunk but the first. */
export interface LoadResult {
  /** From the first request to the end of the last answer. */
  readonly elapsedMs: number;
  readonly answers: number;
  /** Answers with another status than 200, broken ones and incomplete ones. */
  readonly failures: number;
  readonly firstFailure?: string;
  readonly tokens: number;
  readonly bytes: number;
  /** From the call of the client to the first byte of the body. */
  readonly firstByteMs: readonly number[];
  readonly answerMs: readonly number[];
  readonly gapsMs: readonly number[];
  /** CPU time of the client's process while the clock ran: near `elapsedMs` it was the client that was measured. */
  readonly clientCpuMs: number;
}
