import { createHmac, randomUUID } from 'node:crypto';
import {
  decodeChatId,
  decodeIdentity,
  encodeChatCreation,
  encodeCompletion,
  type EncodedRequest,
} from '@zai2api/dialects';
import { request as call, type Agent } from 'undici';

/** The upstream takes a signature only within the five-minute window that it was made in (protocol 4.5). */
const SIGNATURE_WINDOW_MS = 300_000;

/**
 * The request for a prompt at the web backend, signed once and then sent as it is. Identity and chat are asked for once, so one upstream call per
 * answer is all that is made.
 */
export async function createBareWebCall(base: string, agent: Agent): Promise<(prompt: string) => EncodedRequest> {
  const signing = {
    hmacSha256Hex: (key: string, message: string) => createHmac('sha256', key).update(message).digest('hex'),
    base64: (text: string) => Buffer.from(text).toString('base64'),
  };
  const profile = {
    base,
    signingSecret: 'key-@@@@)))()((9))-xxxx&&&%%%%%',
    userAgent: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/146.0.0.0 Safari/537.36',
    language: 'en-US',
    timeZone: 'Europe/Berlin',
    region: 'overseas',
    deviceId: randomUUID(),
  };
  const identity = decodeIdentity(await (await call(`${base}/api/v1/auths/`, { dispatcher: agent })).body.json());
  const facts = {
    profile,
    frontendVersion: 'prod-fe-1.1.98',
    token: identity.token,
    userId: identity.userId,
    userName: 'Guest',
    upstreamModel: 'glm-4.7',
    features: { thinking: false, search: false },
    userMessageId: randomUUID(),
    assistantMessageId: randomUUID(),
    requestId: randomUUID(),
  };
  const creation = encodeChatCreation({ ...facts, prompt: '', timestampMs: Date.now() });
  const { body: chat } = await call(creation.url, { ...creation, body: creation.body ?? null, dispatcher: agent });
  const chatId = decodeChatId(await chat.json()) ?? '';

  /** By the prompt and the window of their signature. */
  const prepared = new Map<string, EncodedRequest>();
  return (prompt) => {
    const timestampMs = Date.now();
    const key = `${Math.floor(timestampMs / SIGNATURE_WINDOW_MS)} ${prompt}`;
    const known = prepared.get(key);
    if (known) return known;
    const encoded = encodeCompletion({ ...facts, chatId, timestampMs, prompt }, signing);
    prepared.set(key, encoded);
    return encoded;
  };
}
