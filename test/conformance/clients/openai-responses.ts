import OpenAI from 'openai';
import { zodTextFormat } from 'openai/helpers/zod';
import * as z from 'zod';
import { citySchema, type Answer, type Ask, type ClientLibrary } from './client.ts';

type Body = OpenAI.Responses.ResponseCreateParamsNonStreaming;
type Item = OpenAI.Responses.ResponseInputItem;

const bodyOf = ({ prompt, model, maxOutputTokens }: Ask): Body => ({
  model,
  input: prompt,
  // A stored response goes on when its client leaves.
  store: false,
  reasoning: { summary: 'auto' },
  ...(maxOutputTokens !== undefined && { max_output_tokens: maxOutputTokens }),
});

function answerOf(response: OpenAI.Responses.Response): Answer {
  const thoughts = response.output.flatMap((item) => (item.type === 'reasoning' ? item.summary : []));
  return {
    text: response.output_text,
    reasoning: thoughts.map(({ text }) => text).join('\n\n'),
    finish: response.incomplete_details?.reason === 'max_output_tokens' ? 'length' : 'stop',
    inputTokens: response.usage?.input_tokens ?? -1,
    outputTokens: response.usage?.output_tokens ?? -1,
  };
}

/** The official client of OpenAI on Responses. */
export const openAiResponsesClient: ClientLibrary = {
  name: 'openai (Responses)',
  packageName: 'openai',
  endpoint: 'Responses',
  showsReasoning: true,
  connect({ url, apiKey }) {
    const client = new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 });

    async function streamed(body: Body, signal?: AbortSignal, onText?: (text: string) => void) {
      const stream = client.responses.stream({ ...body, stream: true }, { signal });
      if (onText) stream.on('response.output_text.delta', ({ delta }) => onText(delta));
      const response = await stream.finalResponse();
      if (response.error) throw new Error(response.error.message);
      return response;
    }

    return {
      whole: async (ask) => answerOf(await client.responses.create(bodyOf(ask), { signal: ask.signal })),
      stream: async (ask, onText) => answerOf(await streamed(bodyOf(ask), ask.signal, onText)),
      async loop(ask, { name, run }, stream) {
        const tools = [{ type: 'function' as const, name, parameters: citySchema, strict: false }];
        let input: Item[] = [{ role: 'user', content: ask.prompt }];
        for (;;) {
          const body = { ...bodyOf(ask), input, tools };
          const response = stream ? await streamed(body) : await client.responses.create(body);
          const calls = response.output.flatMap((item) => (item.type === 'function_call' ? [item] : []));
          if (calls.length === 0) return response.output_text;
          const results = calls.map((call): Item => {
            const { city } = JSON.parse(call.arguments) as { city: string };
            return { type: 'function_call_output', call_id: call.call_id, output: run(city) };
          });
          input = [...input, ...(response.output as Item[]), ...results];
        }
      },
      async structured(ask) {
        const format = zodTextFormat(z.object({ city: z.string() }), 'place');
        const response = await client.responses.parse({ ...bodyOf(ask), text: { format } });
        return response.output_parsed!;
      },
    };
  },
};
