import net from 'node:net';
import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { askWhole, chatBody, postChat, scenario } from '../support/chat-client.ts';
import { startProcess } from '../support/start-process.ts';
import { startStack } from '../support/start-stack.ts';

const tools = [{ type: 'function', function: { name: 'look', parameters: {} } }];

describe('settings that are known from elsewhere', () => {
  it('ZAI_INCLUDE_THINKING=false keeps thinking out, unless the request asks for it', async () => {
    await using stack = await startStack({ env: { ZAI_INCLUDE_THINKING: 'false' } });
    const prompt = scenario('thinking-then-edit');
    const hidden = await askWhole(stack.url, prompt);
    expect(hidden.choices[0]!.message).not.toHaveProperty('reasoning_content');
    const shown = await askWhole(stack.url, prompt, { body: { think_tags_mode: 'separate' } });
    expect(shown.choices[0]!.message).toHaveProperty('reasoning_content');
  });

  it('ZAI_FUNCTION_CALL_ENABLED=false offers no tools', async () => {
    await using stack = await startStack({ env: { ZAI_FUNCTION_CALL_ENABLED: 'false' } });
    const free = await postChat(stack.url, 'hi', { body: { tools } });
    expect(free.headers.get('x-gateway-ignored-params')).toBe('tools');
    expect(JSON.stringify(stack.upstream.log.map(({ body }) => body))).not.toContain('look');
    const demanded = await postChat(stack.url, 'hi', { body: { tools, tool_choice: 'required' } });
    expect([demanded.status, await demanded.json()]).toMatchObject([400, { error: { param: 'tool_choice' } }]);
  });

  it('ZAI_ENABLE_REQUEST_TRACING=false logs no requests', async () => {
    await using stack = await startStack({ env: { ZAI_ENABLE_REQUEST_TRACING: 'false' } });
    await askWhole(stack.url, 'hi');
    await stack.close();
    expect(stack.logLines().filter(({ msg }) => msg === 'request')).toEqual([]);
  });

  it('ZAI_ENABLE_PERFORMANCE_MONITORING=false serves no metrics', async () => {
    await using stack = await startStack({ env: { ZAI_ENABLE_PERFORMANCE_MONITORING: 'false' } });
    expect((await fetch(`${stack.adminUrl}/metrics`)).status).toBe(404);
    expect((await fetch(`${stack.adminUrl}/livez`)).status).toBe(200);
  });
});

it('closes the connection of a stream when the client asks for it', async () => {
  await using stack = await startStack();
  const { hostname, port } = new URL(stack.url);
  const socket = net.connect(Number(port), hostname);
  await once(socket, 'connect');
  const body = JSON.stringify({ ...chatBody('hi'), stream: true });
  socket.write(
    `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  expect(text).toMatch(/connection: close/i);
  expect(text).toContain('data: [DONE]');
});

it.each(['gateway', 'standalone'] as const)('%s warns of variables that no service reads', async (service) => {
  await using running = startProcess(service, {
    ZAI_PORT: '0',
    ZAI_API_BASE: 'http://127.0.0.1:9',
    ZAI_TRANSLATOR_URL: 'http://127.0.0.1:9',
    ZAI_PROT: '1',
    ZAI_MAX_JSON_SCAN: '2',
  });
  await running.listening;
  expect(running.logLines.filter(({ setting }) => setting !== undefined)).toEqual([
    expect.objectContaining({ setting: 'ZAI_PROT', msg: 'no setting has this name' }),
    expect.objectContaining({ setting: 'ZAI_MAX_JSON_SCAN', msg: 'this setting has no effect' }),
  ]);
});
