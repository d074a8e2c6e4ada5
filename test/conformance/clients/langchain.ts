import { ChatAnthropic } from '@langchain/anthropic';
import type { BaseChatModel } from '@langchain/core/language_models/chat_models';
import { HumanMessage, ToolMessage, type AIMessageChunk, type BaseMessage } from '@langchain/core/messages';
import { ChatOpenAI } from '@langchain/openai';
import { citySchema, type Answer, type Ask, type Client, type ClientLibrary } from './client.ts';

type Bindable = BaseChatModel & Required<Pick<BaseChatModel, 'bindTools'>>;

function answerOf(message: AIMessageChunk): Answer {
  const usage = message.usage_metadata as { input_tokens: number; output_tokens: number } | undefined;
  const metadata = message.response_metadata as Record<string, unknown>;
  const details = metadata['incomplete_details'] as { reason?: string } | null | undefined;
  const reason =
    metadata['finish_reason'] ?? metadata['stop_reason'] ?? message.additional_kwargs['stop_reason'] ?? details?.reason;
  const thoughts = message.contentBlocks.map((block) => (block.type === 'reasoning' ? block.reasoning : ''));
  return {
    text: message.text,
    reasoning: thoughts.join('') || ((message.additional_kwargs['reasoning_content'] as string | undefined) ?? ''),
    finish: reason === 'length' || reason === 'max_tokens' || reason === 'max_output_tokens' ? 'length' : 'stop',
    inputTokens: usage?.input_tokens ?? -1,
    outputTokens: usage?.output_tokens ?? -1,
  };
}

/** A client of LangChain.js; the loop is the one that its documentation shows. */
function connectWith(modelOf: (ask: Ask) => Bindable): Client {
  async function read(
    model: Pick<Bindable, 'stream'>,
    messages: readonly BaseMessage[],
    signal?: AbortSignal,
    onText?: (text: string) => void,
  ): Promise<AIMessageChunk> {
    let whole: AIMessageChunk | undefined;
    for await (const chunk of await model.stream([...messages], { ...(signal && { signal }) })) {
      if (chunk.text !== '') onText?.(chunk.text);
      whole = whole ? whole.concat(chunk) : chunk;
    }
    if (!whole) throw new Error('The stream was empty.');
    return whole;
  }

  return {
    async whole(ask) {
      const options = { ...(ask.signal && { signal: ask.signal }) };
      return answerOf(await modelOf(ask).invoke([new HumanMessage(ask.prompt)], options));
    },
    stream: async (ask, onText) =>
      answerOf(await read(modelOf(ask), [new HumanMessage(ask.prompt)], ask.signal, onText)),
    async loop(ask, { name, run }, stream) {
      const schema = { name, description: 'Looks something up.', schema: citySchema };
      const model = modelOf(ask).bindTools([
        { type: 'function', function: { name, description: schema.description, parameters: citySchema } },
      ]) as unknown as Bindable;
      const messages: BaseMessage[] = [new HumanMessage(ask.prompt)];
      for (;;) {
        const message = stream ? await read(model, messages) : await model.invoke(messages);
        const calls = message.tool_calls ?? [];
        if (calls.length === 0) return message.text;
        messages.push(message);
        for (const { id, args } of calls) {
          messages.push(new ToolMessage({ tool_call_id: id ?? '', content: run((args as { city: string }).city) }));
        }
      }
    },
  };
}

const options = { maxRetries: 0 };

type OpenAiFields = ConstructorParameters<typeof ChatOpenAI>[0];

const connectOpenAi =
  (fields: OpenAiFields): ClientLibrary['connect'] =>
  ({ url, apiKey }) =>
    connectWith(
      ({ model, maxOutputTokens }) =>
        new ChatOpenAI({
          ...options,
          model,
          apiKey,
          configuration: { baseURL: `${url}/v1` },
          ...fields,
          ...(maxOutputTokens !== undefined && { maxTokens: maxOutputTokens }),
        }),
    );

/** LangChain on Chat Completions. */
export const langChainOpenAi: ClientLibrary = {
  name: 'LangChain.js, ChatOpenAI',
  packageName: '@langchain/openai',
  endpoint: 'Chat Completions',
  showsReasoning: true,
  connect: connectOpenAi({ useResponsesApi: false }),
};

/** LangChain on Responses. */
export const langChainResponses: ClientLibrary = {
  name: 'LangChain.js, ChatOpenAI (Responses)',
  packageName: '@langchain/openai',
  endpoint: 'Responses',
  raisesLateFailures: false,
  showsReasoning: true,
  connect: connectOpenAi({
    useResponsesApi: true,
    reasoning: { summary: 'auto' },
    // A stored response goes on when its client leaves.
    modelKwargs: { store: false },
  }),
};

/** LangChain on Messages. */
export const langChainAnthropic: ClientLibrary = {
  name: 'LangChain.js, ChatAnthropic',
  packageName: '@langchain/anthropic',
  endpoint: 'Messages',
  showsReasoning: true,
  connect: ({ url, apiKey }) =>
    connectWith(
      ({ model, maxOutputTokens }) =>
        new ChatAnthropic({
          ...options,
          model,
          apiKey,
          anthropicApiUrl: url,
          thinking: { type: 'adaptive' },
          maxTokens: maxOutputTokens ?? 8_000,
        }),
    ),
};
