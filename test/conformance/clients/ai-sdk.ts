import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { generateText, jsonSchema, Output, stepCountIs, streamText, tool, type LanguageModel } from 'ai';
import { citySchema, type Answer, type Ask, type Client, type ClientLibrary, type Connection } from './client.ts';

interface Outcome {
  readonly text: string;
  readonly reasoningText: string | undefined;
  readonly finishReason: string;
  readonly usage: { readonly inputTokens: number | undefined; readonly outputTokens: number | undefined };
}

const answerOf = ({ text, reasoningText, finishReason, usage }: Outcome): Answer => ({
  text,
  reasoning: reasoningText ?? '',
  finish: finishReason === 'length' ? 'length' : 'stop',
  inputTokens: usage.inputTokens ?? -1,
  outputTokens: usage.outputTokens ?? -1,
});

/** A client of the AI SDK for one of its providers. */
function connectWith(modelOf: (name: string) => LanguageModel, providerOptions = {}): Client {
  const callOf = ({ prompt, model, maxOutputTokens, signal }: Ask) => ({
    model: modelOf(model),
    prompt,
    maxRetries: 0,
    providerOptions,
    ...(maxOutputTokens !== undefined && { maxOutputTokens }),
    ...(signal && { abortSignal: signal }),
  });

  /** Reads a stream to its end; an error part is thrown, as an application would. */
  async function read(result: ReturnType<typeof streamText>, onText?: (text: string) => void): Promise<Answer> {
    for await (const part of result.stream) {
      if (part.type === 'text-delta') onText?.(part.text);
      if (part.type === 'error') throw part.error;
      if (part.type === 'abort') throw new DOMException('The stream was aborted.', 'AbortError');
    }
    return answerOf(await result.finalStep);
  }

  return {
    whole: async (ask) => answerOf((await generateText(callOf(ask))).finalStep),
    stream: (ask, onText) => read(streamText({ ...callOf(ask), onError: () => undefined }), onText),
    async loop(ask, { name, run }, stream) {
      const tools = {
        [name]: tool({
          description: 'Looks something up.',
          inputSchema: jsonSchema<{ city: string }>(citySchema),
          execute: ({ city }) => run(city),
        }),
      };
      const call = { ...callOf(ask), tools, stopWhen: stepCountIs(5) };
      if (!stream) return (await generateText(call)).text;
      return (await read(streamText({ ...call, onError: () => undefined }) as unknown as ReturnType<typeof streamText>))
        .text;
    },
    async structured(ask) {
      const output = Output.object({ schema: jsonSchema<{ city: string }>(citySchema) });
      return (await generateText({ ...callOf(ask), output })).output;
    },
  };
}

const openAi = ({ url, apiKey }: Connection) => createOpenAI({ baseURL: `${url}/v1`, apiKey });

/** The AI SDK with its OpenAI provider as it comes, which speaks Responses. */
export const aiSdkOpenAi: ClientLibrary = {
  name: 'AI SDK, openai provider (Responses)',
  packageName: '@ai-sdk/openai',
  endpoint: 'Responses',
  showsReasoning: true,
  connect: (connection) =>
    connectWith((name) => openAi(connection)(name), { openai: { reasoningSummary: 'auto', store: false } }),
};

/** The AI SDK with the chat model of its OpenAI provider. */
export const aiSdkOpenAiChat: ClientLibrary = {
  name: 'AI SDK, openai provider (.chat)',
  packageName: '@ai-sdk/openai',
  endpoint: 'Chat Completions',
  showsReasoning: false,
  connect: (connection) => connectWith((name) => openAi(connection).chat(name)),
};

/** The provider below Cline, OpenCode and Cherry Studio. */
export const aiSdkCompatible: ClientLibrary = {
  name: 'AI SDK, openai-compatible provider',
  packageName: '@ai-sdk/openai-compatible',
  endpoint: 'Chat Completions',
  showsReasoning: true,
  connect: ({ url, apiKey }) =>
    connectWith(
      createOpenAICompatible({
        name: 'zai',
        baseURL: `${url}/v1`,
        apiKey,
        includeUsage: true,
        supportsStructuredOutputs: true,
      }),
    ),
};

/** The AI SDK with its Anthropic provider. */
export const aiSdkAnthropic: ClientLibrary = {
  name: 'AI SDK, anthropic provider',
  packageName: '@ai-sdk/anthropic',
  structuredTool: 'json',
  endpoint: 'Messages',
  showsReasoning: true,
  connect: ({ url, apiKey }) =>
    connectWith(createAnthropic({ baseURL: `${url}/v1`, apiKey }), { anthropic: { thinking: { type: 'adaptive' } } }),
};
