/**
 * The names of the GenAI conventions that are in use here, of the set that moved out of the semantic conventions at 1.41 (contract 6.1). All
 * of them are still in development: this is the one file to change when they do.
 */
export const genAi = {
  operationName: 'gen_ai.operation.name',
  providerName: 'gen_ai.provider.name',
  outputType: 'gen_ai.output.type',
  requestModel: 'gen_ai.request.model',
  requestMaxTokens: 'gen_ai.request.max_tokens',
  requestTemperature: 'gen_ai.request.temperature',
  requestTopP: 'gen_ai.request.top_p',
  requestStream: 'gen_ai.request.stream',
  requestReasoningLevel: 'gen_ai.request.reasoning.level',
  responseId: 'gen_ai.response.id',
  responseModel: 'gen_ai.response.model',
  responseFinishReasons: 'gen_ai.response.finish_reasons',
  /** In seconds. */
  responseTimeToFirstChunk: 'gen_ai.response.time_to_first_chunk',
  usageInputTokens: 'gen_ai.usage.input_tokens',
  usageOutputTokens: 'gen_ai.usage.output_tokens',
  usageCacheReadTokens: 'gen_ai.usage.cache_read.input_tokens',
  usageReasoningTokens: 'gen_ai.usage.reasoning.output_tokens',
  openAiApiType: 'openai.api.type',
  serverAddress: 'server.address',
  serverPort: 'server.port',
  errorType: 'error.type',
  /** Ours: `guest` or `user`. */
  credentialKind: 'zai.credential.kind',
  /** Ours: whether the upstream counted the tokens or we did, `exact` or `estimated`. */
  usageExactness: 'zai.usage.exactness',
} as const;

/** The one operation, and who does it: z.ai is not in the list of providers, which is open. */
export const CHAT = 'chat';
/** `gen_ai.provider.name` of every upstream here: they are one provider's. */
export const PROVIDER = 'zai';
