import { readMessageEvents } from './message-events.ts';
import { messageSchema, type WireMessage, type WireMessageEvent } from './message-schemas.ts';

export interface MessagesOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** With query and all. */
  readonly path?: string;
}

type Body = Readonly<Record<string, unknown>>;

/** A body with one user message; thinking is off, as nobody asks for it. */
export const messagesBody = (prompt: string, fields: Body = {}): Body => ({
  model: 'glm-4.7',
  max_tokens: 4_000,
  messages: [{ role: 'user', content: prompt }],
  ...fields,
});

/** `POST /v1/messages` with plain fetch: no retries, nothing hidden. */
export function postMessages(
  url: string,
  body: Body,
  { headers, signal, path = '/v1/messages' }: MessagesOptions = {},
): Promise<Response> {
  return fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01', ...headers },
    body: JSON.stringify(body),
    ...(signal && { signal }),
  });
}

/** A whole answer, held to its schema; throws with status and body when there is none. */
export async function askMessage(url: string, prompt: string, fields: Body = {}): Promise<WireMessage> {
  const response = await postMessages(url, messagesBody(prompt, fields));
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${response.status}: ${text}`);
  return messageSchema.parse(JSON.parse(text));
}

/** The events of a streamed answer, held to their schemas and their order. */
export async function askMessageEvents(url: string, prompt: string, fields: Body = {}): Promise<WireMessageEvent[]> {
  const response = await postMessages(url, messagesBody(prompt, { stream: true, ...fields }));
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${response.status}: ${text}`);
  return readMessageEvents(text);
}
