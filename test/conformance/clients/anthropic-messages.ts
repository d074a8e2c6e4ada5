import Anthropic from '@anthropic-ai/sdk';
import { betaTool } from '@anthropic-ai/sdk/helpers/beta/json-schema';
import { citySchema, type Answer, type Ask, type ClientLibrary } from './client.ts';

type Body = Anthropic.MessageCreateParamsNonStreaming;

const bodyOf = ({ prompt, model, maxOutputTokens }: Ask): Body => ({
  model,
  max_tokens: maxOutputTokens ?? 8_000,
  messages: [{ role: 'user', content: prompt }],
  thinking: { type: 'adaptive' },
});

function answerOf({ content, stop_reason: reason, usage }: Anthropic.Message): Answer {
  return {
    text: content.map((block) => (block.type === 'text' ? block.text : '')).join(''),
    reasoning: content.flatMap((block) => (block.type === 'thinking' ? [block.thinking] : [])).join('\n\n'),
    finish: reason === 'max_tokens' ? 'length' : 'stop',
    inputTokens: usage.input_tokens + (usage.cache_read_input_tokens ?? 0),
    outputTokens: usage.output_tokens,
  };
}

/** The official client of Anthropic. */
export const anthropicClient: ClientLibrary = {
  name: '@anthropic-ai/sdk',
  packageName: '@anthropic-ai/sdk',
  endpoint: 'Messages',
  showsReasoning: true,
  connect({ url, apiKey }) {
    const client = new Anthropic({ baseURL: url, apiKey, maxRetries: 0 });
    return {
      whole: async (ask) => answerOf(await client.messages.create(bodyOf(ask), { signal: ask.signal })),
      async stream(ask, onText) {
        const stream = client.messages.stream(bodyOf(ask), { signal: ask.signal });
        if (onText) stream.on('text', onText);
        return answerOf(await stream.finalMessage());
      },
      async loop(ask, { name, run }, stream) {
        const tool = betaTool({
          name,
          description: 'Looks something up.',
          inputSchema: citySchema,
          run: ({ city }: { city: string }) => run(city),
        });
        const { thinking: _thinking, ...body } = bodyOf(ask);
        const runner = stream
          ? client.beta.messages.toolRunner({ ...body, tools: [tool], stream: true })
          : client.beta.messages.toolRunner({ ...body, tools: [tool] });
        const { content } = await runner.runUntilDone();
        return content.map((block) => (block.type === 'text' ? block.text : '')).join('');
      },
      async models() {
        const ids: string[] = [];
        for await (const model of client.models.list()) ids.push(model.id);
        return ids;
      },
    };
  },
};
