import { describe, expect, it } from '@jest/globals';
import { askWhole, scenario } from '../support/chat-client.ts';
import { chunksOf, joinChunks, openStream } from '../support/event-stream.ts';
import { startStack } from '../support/start-stack.ts';

const prompt = scenario('thinking-then-edit');
const answer = 'Hello from GLM. You said: hi';
const thought = 'First idea.\nSecond idea.';

describe('ZAI_THINK_TAGS_MODE', () => {
  it.each([
    ['separate', { text: answer, reasoning: thought }],
    ['think', { text: `<think>${thought}</think>\n\n${answer}`, reasoning: '' }],
    ['pure', { text: `> First idea.\n> Second idea.\n\n${answer}`, reasoning: '' }],
    [
      'raw',
      {
        text: `<details type="reasoning" open>\n> First idea.\n> Second idea.\n<summary>Thought for 2 seconds</summary>\n</details>\n\n${answer}`,
        reasoning: '',
      },
    ],
    ['none', { text: answer, reasoning: '' }],
  ])('%s shows thinking the same way streamed and whole', async (mode, shown) => {
    await using stack = await startStack({ env: { ZAI_THINK_TAGS_MODE: mode } });

    const stream = await openStream(stack.url, prompt);
    const streamed = joinChunks(chunksOf(await stream.rest()));
    expect(streamed).toEqual({ ...shown, finishReasons: ['stop'], errors: [] });

    const whole = await askWhole(stack.url, prompt);
    const { content, reasoning_content: reasoning = '' } = whole.choices[0]!.message;
    expect({ text: content, reasoning }).toEqual(shown);
    expect('reasoning_content' in whole.choices[0]!.message).toBe(shown.reasoning !== '');
  });
});

describe('a model suffix', () => {
  it.each([
    ['glm-4.7-think', '<think>'],
    ['glm-4.7-thinking-pure', '> First idea.'],
    ['GLM-4.7-RAW', '<details type="reasoning" open>'],
  ])('%s chooses how thinking is shown', async (model, beginning) => {
    await using stack = await startStack();
    const whole = await askWhole(stack.url, prompt, { body: { model } });
    expect(whole.choices[0]!.message.content?.startsWith(beginning)).toBe(true);
    expect(whole.model).toBe(model);
  });

  it('gives way to the request', async () => {
    await using stack = await startStack();
    const whole = await askWhole(stack.url, prompt, { body: { model: 'glm-4.7-raw', think_tags_mode: 'separate' } });
    expect(whole.choices[0]!.message).toMatchObject({ content: answer, reasoning_content: thought });
  });
});
