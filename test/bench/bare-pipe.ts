import { createHmac, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decodeChatId, decodeIdentity, encodeChatCreation, encodeCompletion } from '@zai2api/dialects';
import { Agent, request as call, stream } from 'undici';

/**
 * The floor: the least that a Node process can do between the same client and the same upstream. It reads the body, sends a request that
 * was signed before, and pipes the answer's bytes without a look at them. Identity and chat are asked for once, so one upstream call per
 * answer is all it makes.
 */
const base = process.env['BENCH_UPSTREAM'] ?? '';
const agent = new Agent({ connections: null });
const signing = {
  hmacSha256Hex: (key: string, message: string) => createHmac('sha256', key).update(message).digest('hex'),
  base64: (text: string) => Buffer.from(text).toString('base64'),
};
/** The upstream takes a signature only within the five-minute window that it was made in (protocol 4.5). */
const SIGNATURE_WINDOW_MS = 300_000;

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

/** Signed requests by the client's body and the window of their signature. */
const prepared = new Map<string, ReturnType<typeof encodeCompletion>>();

function prepare(body: string): ReturnType<typeof encodeCompletion> {
  const timestampMs = Date.now();
  const key = `${Math.floor(timestampMs / SIGNATURE_WINDOW_MS)} ${body}`;
  const known = prepared.get(key);
  if (known) return known;
  const { messages } = JSON.parse(body) as { messages: { content: string }[] };
  const encoded = encodeCompletion({ ...facts, chatId, timestampMs, prompt: messages[0]?.content ?? '' }, signing);
  prepared.set(key, encoded);
  return encoded;
}

function forward(body: string, response: ServerResponse): void {
  const { url, method, headers, body: content = '' } = prepare(body);
  // A chunk goes on as it comes; `stream` is the fastest pipe of those tried (node:http with `pipe`, a bare dispatch handler).
  stream(url, { dispatcher: agent, method, headers, body: content }, ({ statusCode }) => {
    response.writeHead(statusCode, { 'content-type': 'text/event-stream' });
    return response;
  }).catch(() => response.destroy());
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => forward(Buffer.concat(chunks).toString(), response));
}

const server = createServer({ noDelay: true }, answer).listen(0, '127.0.0.1', () => {
  process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
process.once('disconnect', () => process.exit());
