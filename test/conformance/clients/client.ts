/** What a client is asked to do, in the words of no SDK. */
export interface Ask {
  readonly prompt: string;
  readonly model: string;
  readonly maxOutputTokens?: number;
  readonly signal?: AbortSignal;
}

/** What a client made of an answer. */
export interface Answer {
  readonly text: string;
  /** Empty where there was none. */
  readonly reasoning: string;
  /** `length` when the limit cut it, else whatever the client calls a good end is `stop`. */
  readonly finish: 'stop' | 'length';
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** A function that takes a city. */
export interface CityTool {
  readonly name: string;
  readonly run: (city: string) => string;
}

/** Where and as whom. */
export interface Connection {
  /** Without a path. */
  readonly url: string;
  readonly apiKey: string;
}

/** One client library as people use it, with its own retries switched off. */
export interface Client {
  whole(ask: Ask): Promise<Answer>;
  /** `onText` hears every piece of text as it comes. */
  stream(ask: Ask, onText?: (text: string) => void): Promise<Answer>;
  /** Runs the tool as often as the model calls it, with the library's own loop where it has one; the text of the last answer. */
  loop(ask: Ask, tool: CityTool, stream: boolean): Promise<string>;
  /** An answer that fits `{ city: string }`, by the library's own way of structured output. */
  structured?(ask: Ask): Promise<{ readonly city: string }>;
  /** Every listed model. */
  models?(): Promise<readonly string[]>;
}

/** A client library and the way it is pointed here. */
export interface ClientLibrary {
  /** As in the table of docs/clients.md. */
  readonly name: string;
  /** npm package whose version the table shows. */
  readonly packageName: string;
  readonly endpoint: 'Chat Completions' | 'Responses' | 'Messages';
  /** False where the library drops thinking by design. */
  readonly showsReasoning: boolean;
  /** The tool by which the library asks for structured output, where it does so. */
  readonly structuredTool?: string;
  /** False where the library passes over `response.failed`: its users see a shorter answer. */
  readonly raisesLateFailures?: false;
  connect(connection: Connection): Client;
}

/** JSON Schema of the tool's arguments. */
export const citySchema = {
  type: 'object' as const,
  properties: { city: { type: 'string' as const } },
  required: ['city'] as string[],
  additionalProperties: false as const,
};
