/** The body of a Chat Completions request, as far as the tests care. */
export interface ChatBody {
  readonly model?: string;
  readonly messages: readonly unknown[];
  readonly stream?: boolean;
  readonly [field: string]: unknown;
}

export interface ChatOptions {
  readonly signal?: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
  /** Replaces or adds fields of the body. */
  readonly body?: Readonly<Record<string, unknown>>;
}

/** An error body of the OpenAI dialect. */
export interface ErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string | null;
  };
}

/** A whole answer of the OpenAI dialect. */
export interface ChatAnswer {
  readonly id: string;
  readonly object: string;
  readonly created: number;
  readonly model: string;
  readonly choices: readonly {
    readonly message: { readonly role: string; readonly content: string | null; readonly reasoning_content?: string };
    readonly finish_reason: string;
  }[];
  readonly usage: Readonly<Record<'prompt_tokens' | 'completion_tokens' | 'total_tokens', number>>;
}

/** The prompt that makes the fake upstream play a scenario. */
export const scenario = (call: string, text = 'hi'): string => `${text} [[scenario:${call}]]`;

/** A body with one user message and thinking off. */
export function chatBody(prompt: string, fields: Readonly<Record<string, unknown>> = {}): ChatBody {
  return { model: 'glm-4.7-nothinking', messages: [{ role: 'user', content: prompt }], ...fields };
}

/** `POST /v1/chat/completions` with plain fetch: no retries, nothing hidden. */
export function postChat(url: string, prompt: string, { signal, headers, body }: ChatOptions = {}): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(chatBody(prompt, body)),
    ...(signal && { signal }),
  });
}

/** A whole answer; throws with status and body when there is none. */
export async function askWhole(url: string, prompt: string, options: ChatOptions = {}): Promise<ChatAnswer> {
  const response = await postChat(url, prompt, options);
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${response.status}: ${text}`);
  return JSON.parse(text) as ChatAnswer;
}

/** The text of a whole answer; throws as `askWhole` does. */
export async function askText(url: string, prompt: string, options: ChatOptions = {}): Promise<string | null> {
  const { choices } = await askWhole(url, prompt, options);
  return choices[0]!.message.content;
}
