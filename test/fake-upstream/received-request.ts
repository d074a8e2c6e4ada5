/** One request that the simulator got. Times are of the real clock, in ms, whatever `clockOffsetMs` says. */
export interface ReceivedRequest {
  /** Rising number, starting at 1. */
  readonly id: number;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed JSON, else the text; of an upload only `{ filename, contentType, size }`. */
  readonly body: unknown;
  /** Whose Bearer token came along, when it is a live one. */
  readonly tokenUserId?: string;
  readonly atMs: number;
  /** Set when the answer begins. */
  readonly status?: number;
  /** The scenario that answered, `fault-<name>` for a configured fault. */
  readonly scenario?: string;
  /** Names of all checks that failed, in their order; the first one decided the answer. */
  readonly faults: readonly string[];
  /** When the client closed a still running answer. */
  readonly abortedAtMs?: number;
  /** When the simulator was done with the answer, also when it cut the connection itself. */
  readonly finishedAtMs?: number;
}

/** The same record while the simulator still writes it. */
export type OpenRequest = { -readonly [Key in keyof ReceivedRequest]: ReceivedRequest[Key] };
