import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import OpenAI, { BadRequestError } from 'openai';
import { startStack, type Stack } from '../support/start-stack.ts';

let stack: Stack;
let client: OpenAI;
beforeAll(async () => {
  stack = await startStack();
  client = new OpenAI({ baseURL: `${stack.url}/v1`, apiKey: 'any' });
});
afterAll(() => stack.close());

const model = 'glm-4.7';

describe('H05: legacy completions', () => {
  it('are answered whole and streamed, with the same text', async () => {
    const whole = await client.completions.create({ model, prompt: 'hi', echo: true });
    expect(whole).toMatchObject({ object: 'text_completion', model, choices: [{ index: 0, finish_reason: 'stop' }] });
    expect(whole.id).toMatch(/^cmpl-/);
    expect(whole.usage?.total_tokens).toBeGreaterThan(0);
    const text = whole.choices[0]?.text ?? '';
    expect(text.startsWith('hi')).toBe(true);
    expect(text.length).toBeGreaterThan(2);

    const stream = await client.completions.create({
      model,
      prompt: ['hi'],
      echo: true,
      stream: true,
      stream_options: { include_usage: true },
    });
    let streamed = '';
    const reasons: (string | null)[] = [];
    let usage: unknown;
    for await (const chunk of stream) {
      streamed += chunk.choices[0]?.text ?? '';
      if (chunk.choices[0]?.finish_reason) reasons.push(chunk.choices[0].finish_reason);
      usage ??= chunk.usage;
    }
    expect([streamed, reasons]).toEqual([text, ['stop']]);
    expect(usage).toEqual(expect.objectContaining({ prompt_tokens: expect.any(Number) }));
  });

  it('do not think, and send the prompt up as it is', async () => {
    await client.completions.create({ model, prompt: 'Count: 1, 2,' });
    const asked = stack.upstream.log.findLast(({ path }) => path === '/api/v2/chat/completions');
    expect(JSON.stringify(asked)).toContain('Count: 1, 2,');
    expect(asked).toMatchObject({ body: { features: { enable_thinking: false } } });
  });

  it('obey a stop text', async () => {
    const whole = await client.completions.create({ model, prompt: 'hi', stop: ['GLM'] });
    expect(whole.choices[0]).toMatchObject({ text: 'Hello from ', finish_reason: 'stop' });
  });

  it.each([
    ['suffix', { suffix: 'end' }],
    ['prompt', { prompt: [1, 2, 3] }],
    ['prompt', { prompt: ['a', 'b'] }],
    ['best_of', { best_of: 3 }],
    ['logprobs', { logprobs: 2 }],
    ['n', { n: 2 }],
  ])('refuse what cannot be given, naming %s', async (param, fields) => {
    const failure = await client.completions
      .create({ model, prompt: 'hi', ...fields })
      .catch((reason: unknown) => reason);
    expect(failure).toBeInstanceOf(BadRequestError);
    expect(failure).toMatchObject({ status: 400, type: 'invalid_request_error', param });
  });
});
