import { randomUUID } from 'node:crypto';
import { requiredQueryNames } from './checks/required-names.ts';
import { computeSignature } from './checks/signature.ts';
import { defaultSettings } from './settings.ts';

/** What a test changes of an otherwise faultless completion; null takes a name away. */
export interface CompletionChange {
  readonly prompt?: string;
  readonly timestampMs?: number;
  readonly query?: Readonly<Record<string, string | null>>;
  readonly headers?: Readonly<Record<string, string | null>>;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly signal?: AbortSignal;
}

/** A caller that does all that the web page does (protocol 4), for the simulator's own tests. */
export interface WebPageClient {
  readonly token: string;
  readonly userId: string;
  readonly get: (path: string, headers?: Readonly<Record<string, string>>) => Promise<Response>;
  readonly call: (method: string, path: string, body?: unknown) => Promise<Response>;
  readonly createChat: () => Promise<string>;
  readonly complete: (change?: CompletionChange) => Promise<Response>;
}

const userAgent = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/140.0.0.0 Safari/537.36';

function withoutNulls(values: Readonly<Record<string, string | null>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== null));
}

/** A client for one identity; without one it asks for a new guest first. */
export async function createWebPageClient(
  base: string,
  identity?: { token: string; userId: string },
): Promise<WebPageClient> {
  const { token, userId } = identity ?? (await newGuest(base));
  const authorization = `Bearer ${token}`;
  const call: WebPageClient['call'] = (method, path, body) =>
    fetch(`${base}${path}`, {
      method,
      headers: { authorization, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  const createChat = async (): Promise<string> => {
    const chat = { models: ['glm-4.7'], title: 'New Chat', type: 'default', history: { currentId: 'u', messages: {} } };
    const created = (await (await call('POST', '/api/v1/chats/new', { chat })).json()) as { id: string };
    return created.id;
  };
  const complete: WebPageClient['complete'] = async (change = {}) => {
    const prompt = change.prompt ?? 'hello';
    const timestamp = String(change.timestampMs ?? Date.now());
    const requestId = randomUUID();
    const chatId = change.body && 'chat_id' in change.body ? '' : await createChat();
    const signature = computeSignature({ secret: defaultSettings.signingSecret, requestId, timestamp, userId, prompt });
    const query = {
      ...Object.fromEntries(requiredQueryNames.map((name) => [name, 'x'])),
      ...{ timestamp, requestId, user_id: userId, token, user_agent: userAgent, signature_timestamp: timestamp },
      ...change.query,
    };
    const headers = {
      authorization,
      'content-type': 'application/json',
      accept: '*/*',
      'accept-language': 'en-US',
      origin: base,
      referer: `${base}/c/${chatId}`,
      'user-agent': userAgent,
      'x-fe-version': defaultSettings.frontendVersion,
      'x-signature': signature,
      ...change.headers,
    };
    const body = {
      stream: true,
      model: 'glm-4.7',
      messages: [{ role: 'user', content: prompt }],
      signature_prompt: prompt,
      features: { enable_thinking: false },
      chat_id: chatId,
      ...change.body,
    };
    return fetch(`${base}/api/v2/chat/completions?${new URLSearchParams(withoutNulls(query)).toString()}`, {
      method: 'POST',
      headers: withoutNulls(headers),
      body: JSON.stringify(body),
      ...(change.signal && { signal: change.signal }),
    });
  };
  return {
    token,
    userId,
    call,
    createChat,
    complete,
    get: (path, headers = {}) => fetch(`${base}${path}`, { headers }),
  };
}

async function newGuest(base: string): Promise<{ token: string; userId: string }> {
  const { token, id } = (await (await fetch(`${base}/api/v1/auths/`)).json()) as { token: string; id: string };
  return { token, userId: id };
}
