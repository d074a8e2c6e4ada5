import assert from 'node:assert/strict';
import { scenario } from '../../support/chat-client.ts';
import { recordRequests, type RecordedRequest } from '../../support/record-requests.ts';
import { startStack, type Stack } from '../../support/start-stack.ts';
import { runClaude, type ClaudeResult, type ClaudeRun } from './run-claude.ts';

/** `npm run conformance:claude-code`: the real client as the user of the product, in front of the fake upstream. Exits as tests do. */
const key = 'sk-claude-code';
const secret = 'swordfish';

interface Scene {
  readonly stack: Stack;
  readonly requests: readonly RecordedRequest[];
  readonly run: (how: Omit<ClaudeRun, 'url' | 'key'>) => Promise<ClaudeResult>;
}

interface Asked {
  readonly model: string;
  readonly stream?: boolean;
  readonly messages: readonly { readonly role: string; readonly content: unknown }[];
}

const asked = (request: RecordedRequest | undefined): Asked => request?.body as Asked;
/** Such as `POST /v1/messages stream 200`: enough to say what happened. */
const outline = (requests: readonly RecordedRequest[]): string[] =>
  requests.map((request) => {
    const { method, path, status } = request;
    const mode = asked(request).stream === true ? 'stream' : 'whole';
    return `${method} ${path.replace('?beta=true', '')} ${mode} ${status}`;
  });
const streamed = 'POST /v1/messages stream 200';
const whole = 'POST /v1/messages whole 200';

/** The model reads a file whose text ends the scene. */
const readsFile = (call: string) => ({
  files: { 'note.txt': `The password is ${secret}. [[scenario:plain]]\n` },
  prompt: (workspace: string) =>
    scenario(`${call} name=Read arguments={"file_path":"${workspace}/note.txt"}`, 'What is the password?'),
});

const scenes: Readonly<Record<string, (scene: Scene) => Promise<void>>> = {
  'M21: a turn with a tool': async ({ stack, requests, run }) => {
    const result = await run(readsFile('tool-call-xml-after-text'));
    assert.deepEqual([result.code, result.isError], [0, false], `${result.stderr}${result.text}`);
    assert.equal(result.text, 'It is done.');
    // One request for the call, one for the answer; nothing is asked again without a stream, and nothing else is asked.
    assert.deepEqual(outline(requests), [streamed, streamed]);
    const [, second] = requests;
    assert.match(JSON.stringify(asked(second).messages), new RegExp(`tool_result.*${secret}`));
    const prompt = JSON.stringify(stack.upstream.log.findLast(({ path }) => path.endsWith('/completions'))?.body);
    assert.ok(prompt.includes(secret), 'the upstream has not seen the result');
    assert.ok(!prompt.includes('billing-header'), 'the upstream has seen the accounting');
    assert.ok(!prompt.includes('DeferredToolPlaceholder'), 'the upstream has seen the placeholder');
  },
  'M05, M06: a thought comes back': async ({ stack, requests, run }) => {
    const result = await run(readsFile('tool-call-after-thinking'));
    assert.equal(result.code, 0, `${result.stderr}${result.text}`);
    assert.deepEqual(outline(requests), [streamed, streamed]);
    assert.match(JSON.stringify(asked(requests[1]).messages), /"type":"thinking".*"signature":"[^"]{20,}"/);
    const prompt = JSON.stringify(stack.upstream.log.findLast(({ path }) => path.endsWith('/completions'))?.body);
    assert.ok(prompt.includes('First idea.'), 'the upstream has not seen its thought again');
  },
  'M23: the names of its own models': async ({ requests, run }) => {
    const result = await run({ prompt: () => 'hi', env: { ANTHROPIC_MODEL: 'claude-sonnet-5' } });
    assert.equal(result.code, 0, `${result.stderr}${result.text}`);
    assert.equal(asked(requests[0]).model, 'claude-sonnet-5');
    assert.deepEqual(outline(requests), [streamed]);
  },
  'M16: a conversation that is too long is understood as such': async ({ requests, run }) => {
    const result = await run({ prompt: () => 'hi', env: { ANTHROPIC_MODEL: 'glm-4.5v' } });
    assert.notEqual(result.code, 0);
    assert.match(result.text ?? '', /prompt is too long/i);
    assert.deepEqual([...new Set(outline(requests))], ['POST /v1/messages stream 400']);
  },
  'M18: a failure in mid-answer is asked again without a stream': async ({ stack, requests, run }) => {
    stack.upstream.configure({ completionFault: 'error-internal-after-content', failTimes: 1 });
    const result = await run({ prompt: () => 'hi' });
    assert.deepEqual([result.code, result.text], [0, 'It is done.'], result.stderr);
    assert.deepEqual(outline(requests), [streamed, whole]);
  },
  'M19: silence is bridged': async ({ requests, run }) => {
    const result = await run({ prompt: () => scenario('stall-after-content for=3000') });
    assert.deepEqual([result.code, result.text], [0, 'It is done.'], result.stderr);
    assert.deepEqual(outline(requests), [streamed]);
  },
  'M20: counts of tokens': async ({ stack, requests, run }) => {
    const before = stack.upstream.log.length;
    const result = await run({ prompt: () => '/context' });
    assert.equal(result.code, 0, result.stderr);
    const counts = requests.filter(({ path }) => path.startsWith('/v1/messages/count_tokens'));
    assert.ok(counts.length > 0, 'nothing was counted');
    assert.deepEqual([...new Set(counts.map(({ status }) => status))], [200]);
    assert.equal(stack.upstream.log.length, before, 'the upstream was asked');
    console.log(`     ${counts.length} counts`);
  },
};

let failures = 0;
for (const [name, play] of Object.entries(scenes)) {
  await using stack = await startStack({
    env: {
      ZAI_API_KEY: key,
      ZAI_SSE_HEARTBEAT_SECONDS: '0.5',
      ZAI_ANON_POOL_SIZE: '3',
      ZAI_CONTEXT_TOKENS: 'glm-4.5v=1000',
    },
    upstream: { answerText: 'It is done.' },
  });
  await using recorder = await recordRequests(stack.url);
  const startedAtMs = performance.now();
  const run: Scene['run'] = (how) => runClaude({ ...how, url: recorder.url, key });
  try {
    await play({ stack, requests: recorder.requests, run });
    console.log(`ok   ${name} (${Math.round(performance.now() - startedAtMs)} ms)`);
  } catch (reason) {
    failures += 1;
    console.error(`FAIL ${name}\n${String(reason)}\n${outline(recorder.requests).join('\n')}`);
  }
}
console.log(`${Object.keys(scenes).length - failures} passed, ${failures} failed`);
process.exitCode = failures === 0 ? 0 : 1;
