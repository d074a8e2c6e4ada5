import assert from 'node:assert/strict';
import { scenario } from '../../support/chat-client.ts';
import { recordRequests, type RecordedRequest } from '../../support/record-requests.ts';
import { startStack, type Stack } from '../../support/start-stack.ts';
import { tapConnections } from '../../support/tap-connections.ts';
import { runCodex, type CodexResult, type CodexRun } from './run-codex.ts';

/** `npm run conformance:codex`: the real client as the user of the product, in front of the fake upstream. Exits as tests do. */
const key = 'sk-codex';
const secret = 'swordfish';
/** A slug that Codex knows nothing of, as users are told to configure one. */
const model = 'glm-4.7';

interface Scene {
  readonly stack: Stack;
  readonly requests: readonly RecordedRequest[];
  readonly run: (how: Partial<CodexRun> & Pick<CodexRun, 'prompt'>) => Promise<CodexResult>;
}

interface Item {
  readonly type: string;
  readonly name?: string;
  readonly output?: unknown;
}

const inputOf = (request: RecordedRequest | undefined): readonly Item[] =>
  (request?.body as { readonly input: readonly Item[] } | undefined)?.input ?? [];
/** Such as `POST /v1/responses 200`: enough to say what happened. */
const outline = (requests: readonly RecordedRequest[]): string[] =>
  requests.map(({ method, path, status }) => `${method} ${path} ${status}`);
const answered = 'POST /v1/responses 200';
const lastPrompt = ({ upstream }: Stack): string =>
  JSON.stringify(upstream.log.findLast(({ path }) => path.endsWith('/completions'))?.body);

/** The model reads a file whose text ends the scene. */
const readsFile = (call: string) => ({
  files: { 'note.txt': `The password is ${secret}. [[scenario:plain]]\n` },
  prompt: scenario(`${call} name=exec_command arguments={"cmd":"cat<note.txt"}`, 'What is the password?'),
});
const patch = ['*** Begin Patch', '*** Add File: made.txt', '+made', '*** End Patch'].join('\n');
/** Without spaces, at which a scenario would be cut. */
const inOneWord = (value: unknown): string => JSON.stringify(value).replaceAll(' ', '\\u0020');

const scenes: Readonly<Record<string, (scene: Scene) => Promise<void>>> = {
  'R25: a turn with a tool': async ({ stack, requests, run }) => {
    const result = await run(readsFile('tool-call-xml-after-text'));
    assert.deepEqual([result.code, result.text], [0, 'It is done.'], result.stderr);
    assert.deepEqual(outline(requests), [answered, answered]);
    assert.match(JSON.stringify(inputOf(requests[1])), new RegExp(`function_call_output.*${secret}`));
    assert.ok(lastPrompt(stack).includes(secret), 'the upstream has not seen the result');
  },
  'R07: a thought comes back': async ({ stack, requests, run }) => {
    const result = await run(readsFile('tool-call-after-thinking'));
    assert.equal(result.code, 0, result.stderr);
    assert.deepEqual(outline(requests), [answered, answered]);
    assert.match(JSON.stringify(inputOf(requests[1])), /"type":"reasoning".*"encrypted_content":"[^"]{20,}"/);
    assert.ok(lastPrompt(stack).includes('First idea.'), 'the upstream has not seen its thought again');
  },
  'R18: a tool of a namespace is run': async ({ stack, requests, run }) => {
    const call = 'tool-call-xml name=close_agent arguments={"target":"nobody"}';
    stack.upstream.configure({ completionFault: call, failTimes: 1 });
    const result = await run({ prompt: 'Close it.' });
    assert.equal(result.code, 0, result.stderr);
    const [output] = inputOf(requests[1]).filter(({ type }) => type === 'function_call_output');
    // It says itself that there is no such agent: it knew the tool.
    assert.match(String(output?.output), /agent/);
    assert.doesNotMatch(String(output?.output), /unsupported/);
  },
  'R17: a free-text tool of a slug that it knows': async ({ stack, requests, run }) => {
    const call = `tool-call-xml name=apply_patch arguments=${inOneWord({ input: patch })}`;
    stack.upstream.configure({ completionFault: call, failTimes: 1 });
    const result = await run({ prompt: 'Make a file.', model: 'gpt-5.5' });
    assert.equal(result.code, 0, result.stderr);
    assert.deepEqual(outline(requests), [answered, answered]);
    const [called] = inputOf(requests[1]).filter(({ type }) => type === 'custom_tool_call');
    assert.deepEqual([called?.name, (called as { input?: string } | undefined)?.input], ['apply_patch', patch]);
    const [output] = inputOf(requests[1]).filter(({ type }) => type === 'custom_tool_call_output');
    assert.match(JSON.stringify(output?.output), /made\.txt/);
  },
  'R21: a failure in mid-answer is asked again': async ({ stack, requests, run }) => {
    stack.upstream.configure({ completionFault: 'error-internal-after-content', failTimes: 1 });
    const result = await run({ prompt: 'hi' });
    assert.deepEqual([result.code, result.text], [0, 'It is done.'], result.stderr);
    assert.deepEqual(outline(requests), [answered, answered]);
  },
  'R22: a busy upstream is waited for': async ({ stack, requests, run }) => {
    stack.upstream.configure({ completionFault: 'error-model-busy', failTimes: 1 });
    const result = await run({ prompt: 'hi' });
    assert.deepEqual([result.code, result.text], [0, 'It is done.'], result.stderr);
    assert.deepEqual(outline(requests), ['POST /v1/responses 429', answered]);
  },
  'W11: a turn with a tool over WebSocket': async ({ stack, run }) => {
    await using tap = await tapConnections(stack.url);
    const result = await run({ ...readsFile('tool-call-xml-after-text'), url: tap.url, usesWebSocket: true });
    assert.deepEqual([result.code, result.text], [0, 'It is done.'], result.stderr);
    assert.ok(lastPrompt(stack).includes(secret), 'the upstream has not seen the result');
    // One socket and nothing beside it: it had no reason to go back to HTTP.
    assert.deepEqual(tap.firstLines, ['GET /v1/responses HTTP/1.1'], result.stderr);
  },
  'silence is bridged': async ({ requests, run }) => {
    const result = await run({ prompt: scenario('stall-after-content for=3000') });
    assert.deepEqual([result.code, result.text], [0, 'It is done.'], result.stderr);
    assert.deepEqual(outline(requests), [answered]);
  },
};

let failures = 0;
for (const [name, play] of Object.entries(scenes)) {
  await using stack = await startStack({
    env: {
      ZAI_API_KEY: key,
      ZAI_SSE_HEARTBEAT_SECONDS: '0.5',
      ZAI_ANON_POOL_SIZE: '3',
      ZAI_MODEL_ALIASES: `gpt-*=${model}`,
    },
    upstream: { answerText: 'It is done.' },
  });
  await using recorder = await recordRequests(stack.url);
  const startedAtMs = performance.now();
  const run: Scene['run'] = (how) => runCodex({ url: recorder.url, key, model, usesWebSocket: false, ...how });
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
