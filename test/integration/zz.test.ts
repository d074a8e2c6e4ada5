import { it } from '@jest/globals';
import { postChat, scenario } from '../support/chat-client.ts';
import { startStack } from '../support/start-stack.ts';
import { scenarios, httpFaults } from '../fake-upstream/index.ts';
const want = (n: string) => /^(error-|http-|html|json-without|empty|eof|connection|thinking-only)/.test(n);
it('x', async () => {
  const rows: string[] = [];
  for (const name of [...Object.keys(scenarios).filter(want), ...httpFaults.map((f) => `!${f}`)]) {
    const fault = name.startsWith('!') ? { completionFault: name.slice(1) } : {};
    const env: Record<string,string> = { ZAI_CREDENTIAL_WAIT: '0.3', ZAI_STREAM_TIMEOUT: '0.5', ZAI_NON_STREAM_TIMEOUT: '0.5' };
    await using stack = await startStack({ upstream: fault, env });
    const t = performance.now();
    const r = await postChat(stack.url, name.startsWith('!') ? 'hi' : scenario(name), { body: { stream: true } });
    const text = await r.text();
    rows.push([name, r.status, r.headers.get('retry-after'), r.headers.get('x-should-retry'), r.headers.get('x-error-layer'), stack.upstream.log.filter((q) => q.path.includes('completions')).length, Math.round(performance.now() - t), text.slice(-260).trim()].join(' | '));
  }
  console.log(rows.join('\n'));
}, 120000);
