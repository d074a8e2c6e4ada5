import OpenAI from 'openai';
import { zodResponseFormat } from 'openai/helpers/zod';
import * as z from 'zod';
import { citySchema, type Answer, type Ask, type ClientLibrary } from './client.ts';

type Body = OpenAI.Chat.Completions.ChatCompletionCreateParamsNonStreaming;
type Thoughtful = { readonly reasoning_content?: string };

const bodyOf = ({ prompt, model, maxOutputTokens }: Ask): Body => ({
  model,
  messages: [{ role: 'user', content: prompt }],
  ...(maxOutputTokens !== undefined && { max_completion_tokens: maxOutputTokens }),
});

function answerOf(completion: OpenAI.Chat.Completions.ChatCompletion, reasoning: string): Answer {
  const [choice] = completion.choices;
  return {
    text: choice?.message.content ?? '',
    reasoning,
    finish: choice?.finish_reason === 'length' ? 'length' : 'stop',
    inputTokens: completion.usage?.prompt_tokens ?? -1,
    outputTokens: completion.usage?.completion_tokens ?? -1,
  };
}

/** The official client of OpenAI on Chat Completions. */
export const openAiChatClient: ClientLibrary = {
  name: 'openai (Chat Completions)',
  packageName: 'openai',
  endpoint: 'Chat Completions',
  showsReasoning: true,
  connect({ url, apiKey }) {
    const client = new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 });
    return {
      async whole(ask) {
        const completion = await client.chat.completions.create(bodyOf(ask), { signal: ask.signal });
        return answerOf(completion, (completion.choices[0]?.message as Thoughtful).reasoning_content ?? '');
      },
      async stream(ask, onText) {
        const stream = client.chat.completions.stream(
          { ...bodyOf(ask), stream: true, stream_options: { include_usage: true } },
          { signal: ask.signal },
        );
        let reasoning = '';
        stream.on('chunk', ({ choices }) => {
          reasoning += (choices[0]?.delta as Thoughtful | undefined)?.reasoning_content ?? '';
        });
        if (onText) stream.on('content', onText);
        return answerOf(await stream.finalChatCompletion(), reasoning);
      },
      async loop(ask, { name, run }, stream) {
        const tool = {
          type: 'function' as const,
          function: {
            name,
            description: 'Looks something up.',
            parameters: citySchema,
            parse: (text: string) => JSON.parse(text) as { city: string },
            function: ({ city }: { city: string }) => run(city),
          },
        };
        const body = { ...bodyOf(ask), tools: [tool] };
        const runner = stream
          ? client.chat.completions.runTools({ ...body, stream: true })
          : client.chat.completions.runTools({ ...body, stream: false });
        return (await runner.finalContent()) ?? '';
      },
      async structured(ask) {
        const format = zodResponseFormat(z.object({ city: z.string() }), 'place');
        const { choices } = await client.chat.completions.parse({ ...bodyOf(ask), response_format: format });
        return choices[0]!.message.parsed!;
      },
      async models() {
        const ids: string[] = [];
        for await (const model of client.models.list()) ids.push(model.id);
        return ids;
      },
    };
  },
};
