import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Agent, stream } from 'undici';
import { createBarePlatformCall } from './bare-platform-call.ts';
import { createBareWebCall } from './bare-web-call.ts';

/**
 * The floor: the least that a Node process can do between the same client and the same upstream. It reads the body, sends a request that
 * was made before, and pipes the answer's bytes without a look at them.
 */
const base = process.env['BENCH_UPSTREAM'] ?? '';
const agent = new Agent({ connections: null });
const callFor =
  process.env['BENCH_DRIVER'] === 'platform' ? createBarePlatformCall(base) : await createBareWebCall(base, agent);
/** By the client's body, which is one of few. */
const prompts = new Map<string, string>();

function promptOf(body: string): string {
  const known = prompts.get(body);
  if (known !== undefined) return known;
  const { messages } = JSON.parse(body) as { messages: { content: string }[] };
  const prompt = messages[0]?.content ?? '';
  prompts.set(body, prompt);
  return prompt;
}

function forward(body: string, response: ServerResponse): void {
  const { url, method, headers, body: content = '' } = callFor(promptOf(body));
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
