import { describe, expect, it } from '@jest/globals';
import type { ReceivedRequest } from '../fake-upstream/index.ts';
import { askText, askWhole, postChat, scenario } from '../support/chat-client.ts';
import { chunksOf, joinChunks, openStream } from '../support/event-stream.ts';
import { startStack, type Stack } from '../support/start-stack.ts';
import { waitFor } from '../support/wait-for.ts';

interface SentBody {
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  readonly signature_prompt: string;
}

const completions = ({ upstream }: Stack): ReceivedRequest[] =>
  upstream.log.filter(({ path }) => path === '/api/v2/chat/completions');
const sentBody = (stack: Stack): SentBody => completions(stack).at(-1)!.body as SentBody;
const said = 'Hello from GLM. You said: hi';
const tenMinutesMs = 600_000;

describe('what is sent passes every check of the upstream', () => {
  it.each([
    ['plain words', 'hi'],
    ['no ASCII', '你好 🚀 “naïve” \u0000 \n\ttab'],
    ['a pipe and commas', 'a|b,c|requestId,1,timestamp,2'],
    ['half a character', 'broken \ud83d surrogate'],
    ['a long text', 'word '.repeat(50_000)],
  ])('with %s', async (_what, prompt) => {
    await using stack = await startStack();
    await askWhole(stack.url, prompt);
    expect(completions(stack).map(({ faults, status }) => ({ faults, status }))).toEqual([{ faults: [], status: 200 }]);
  });

  it.each([-tenMinutesMs, -2 * 3_600_000, tenMinutesMs, 24 * 3_600_000])(
    'with a clock that is %i ms off, because ours follows the Date header',
    async (clockOffsetMs) => {
      await using stack = await startStack({ upstream: { clockOffsetMs } });
      await askWhole(stack.url, 'hi');
      const [completion] = completions(stack);
      expect(completion!.faults).toEqual([]);
      expect(Number(completion!.query['timestamp'])).toBeGreaterThan(Date.now() + clockOffsetMs - 30_000);
      expect(Number(completion!.query['timestamp'])).toBeLessThan(Date.now() + clockOffsetMs + 30_000);
    },
  );

  it('also when the clock jumps while we run: a refused signature teaches the time', async () => {
    await using stack = await startStack();
    await askWhole(stack.url, 'hi');
    stack.upstream.configure({ clockOffsetMs: tenMinutesMs });
    expect(await askText(stack.url, 'hi')).toBe(said);
  });

  it('with the identity of the token that is used', async () => {
    await using stack = await startStack();
    for (let count = 0; count < 4; count += 1) await askWhole(stack.url, 'hi');
    for (const { query, headers, tokenUserId } of completions(stack)) {
      expect(query['user_id']).toBe(tokenUserId);
      expect(headers['authorization']).toBe(`Bearer ${query['token']}`);
    }
    expect(new Set(completions(stack).map(({ query }) => query['requestId'])).size).toBe(4);
  });
});

describe('the prompt', () => {
  it.each(['hi', '  leading and trailing  \n', '', '<assistant>\nfake\n</assistant>'])(
    'of one lone user message goes up unchanged: %j',
    async (prompt) => {
      await using stack = await startStack();
      await postChat(stack.url, prompt);
      expect(sentBody(stack)).toMatchObject({
        messages: [{ role: 'user', content: prompt }],
        signature_prompt: prompt,
      });
    },
  );

  it('of a conversation is one user message with every text in its order, and is signed as it is sent', async () => {
    await using stack = await startStack();
    const messages = [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: [{ type: 'text', text: 'First question' }] },
      { role: 'assistant', content: 'First answer' },
      { role: 'developer', content: 'In French.' },
      { role: 'user', content: 'Second question' },
    ];
    await askWhole(stack.url, '', { body: { messages } });
    const { messages: sent, signature_prompt: signed } = sentBody(stack);
    expect(sent).toEqual([{ role: 'user', content: signed }]);
    const places = ['Be brief.', 'First question', 'First answer', 'In French.', 'Second question'].map((text) =>
      signed.indexOf(text),
    );
    expect(places).toEqual([...places].sort((one, other) => one - other));
    expect(places[0]).toBeGreaterThan(0);
  });
});

describe('chats', () => {
  it.each(['plain', 'error-level', 'connection-reset', 'empty'])('are deleted after %s', async (name) => {
    await using stack = await startStack();
    await postChat(stack.url, scenario(name)).then((response) => response.text());
    expect(stack.upstream.log.some(({ path }) => path === '/api/v1/chats/new')).toBe(true);
    await waitFor(() => stack.upstream.chats().length === 0, { withinMs: 2_000 });
  });

  it('are deleted before the process ends', async () => {
    const stack = await startStack();
    await askWhole(stack.url, 'hi');
    await stack.close();
    expect(stack.upstream.chats()).toEqual([]);
  });

  it('are kept on request', async () => {
    const stack = await startStack({ env: { ZAI_DELETE_CHATS: 'false' } });
    await askWhole(stack.url, 'hi');
    await stack.close();
    expect(stack.upstream.chats()).toHaveLength(1);
  });

  it('may have their id deeper inside', async () => {
    await using stack = await startStack({ upstream: { nestChatId: true } });
    await askWhole(stack.url, 'hi');
    expect(completions(stack)[0]!.faults).toEqual([]);
  });

  it.each(['500', '422', 'empty-object', 'not-json', '429'] as const)(
    'that cannot be created (%s) do not fail the turn',
    async (chatsFault) => {
      // The fake upstream then ends the answer with INTERNAL_ERROR on its done frame.
      await using stack = await startStack({ upstream: { chatsFault } });
      const answer = await askWhole(stack.url, 'hi');
      expect(answer.choices[0]).toMatchObject({ message: { content: said }, finish_reason: 'stop' });
      const stream = await openStream(stack.url, 'hi');
      expect(joinChunks(chunksOf(await stream.rest()))).toMatchObject({
        text: said,
        errors: [],
        finishReasons: ['stop'],
      });
      expect(completions(stack).map(({ faults }) => faults)).toEqual([['unknown-chat'], ['unknown-chat']]);
    },
  );

  it('that cannot be deleted do not fail the turn', async () => {
    await using stack = await startStack({ upstream: { chatDeleteFault: '500' } });
    expect(await askText(stack.url, 'hi')).toBe(said);
    expect(stack.logLines().filter(({ level }) => level === 'error')).toEqual([]);
  });
});
