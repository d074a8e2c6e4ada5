/** Some events of a response, one behind the other, as the text of their frames. */
export interface EventBatch {
  /** Number of the first event. */
  readonly first: number;
  /** Number of the last event. */
  readonly last: number;
  readonly text: string;
}

/** How far a kept response got: `running` covers queued ones too. Of an `over` one everything is there. */
export type KeptState = 'running' | 'over';

/** A response that begins to be kept. */
export interface NewResponse {
  readonly id: string;
  /** Who may see it: nobody else ever does. */
  readonly tenant: string;
  readonly state: KeptState;
  /** The response as JSON. */
  readonly response: string;
  /** Everything that it was made of, as JSON: a list of items with ids. */
  readonly input: string;
  /** Its first events; absent for one that is not streamed. */
  readonly events?: EventBatch | undefined;
}

/** What is kept of a response. */
export interface KeptResponse {
  /** `dead`: the process that ran it is gone and nobody has noticed yet. */
  readonly state: KeptState | 'dead';
  readonly response: string;
  readonly hasEvents: boolean;
}

/** The end of a response that somebody else than its process puts to it. */
export interface Conclusion {
  /** The response as JSON. */
  readonly response: string;
  /** Its last event as the text of a frame, round the number that only the store knows. */
  readonly before: string;
  readonly after: string;
}

/** Events from some number on, and what can be expected behind them: `gone` is a response that is not kept any more. */
export interface KeptEvents {
  readonly state: KeptState | 'dead' | 'gone';
  /** In order. The first one may begin earlier than asked for. */
  readonly batches: readonly EventBatch[];
}

/** Whose a response is that this process ran: still its own; deleted or concluded by somebody; or lost, with the memory of the store. */
export type Hold = 'ours' | 'taken' | 'lost';

/**
 * Where responses are kept for the time that is set (contract 2.2, 2.3). Every method may be called from any process that shares the store;
 * only the process that began a response adds to it. All of them reject with a TurnError of the reason `response_store_unavailable` when the
 * store does not answer, within a bounded time.
 */
export interface ResponseStore {
  /** The most that it keeps of one response, in UTF-16 units: whoever brings more is to refuse it. */
  readonly maxResponseSize: number;
  /** Keeps a response. One that is `running` is this process's, and has to be renewed. */
  begin(response: NewResponse): Promise<void>;
  /** Adds events, and says what the response is like now. Events that are there already change nothing. */
  append(id: string, events: EventBatch, response?: string): Promise<Hold>;
  /** Adds the last events and says that it is over. */
  finish(id: string, response: string, events: EventBatch | undefined): Promise<Hold>;
  /** Says that this process still runs it. */
  renew(id: string): Promise<Hold>;
  /** Ends it from outside. False when it is over already, is not there, or, with `onlyIfDead`, is still run by somebody. */
  conclude(id: string, tenant: string, conclusion: Conclusion, onlyIfDead: boolean): Promise<boolean>;
  read(id: string, tenant: string): Promise<KeptResponse | undefined>;
  /** The items that it was made of, as JSON. */
  readInput(id: string, tenant: string): Promise<string | undefined>;
  /** A bounded number of batches, beginning with the one that holds the event of this number. */
  readEvents(id: string, from: number): Promise<KeptEvents>;
  /** Forgets it, also while it runs. False when there is nothing to forget. */
  remove(id: string, tenant: string): Promise<boolean>;
  /** Calls `listener` when there may be something new. A hint: it may come too often, late, or not at all. */
  onNews(id: string, listener: () => void): () => void;
  /** Calls `listener` when somebody else has ended or deleted a response of this process. A hint as well: `renew` says it too. */
  onTaken(listener: (id: string) => void): () => void;
  close(): Promise<void>;
}

/** How long a process that says nothing is taken to be alive, in milliseconds. */
export const ALIVE_MS = 12_000;
/** How often it says something, in milliseconds. */
export const RENEW_INTERVAL_MS = 4_000;
