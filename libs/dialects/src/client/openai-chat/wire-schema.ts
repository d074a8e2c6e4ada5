import { reasoningEfforts } from '@zai2api/turn';
import * as z from 'zod';

/** Clients send explicit nulls for everything they leave out: null is absent (contract 0.1). */
const optional = <Schema extends z.ZodType>(schema: Schema) =>
  schema.nullish().transform((value) => value ?? undefined);

/** Names of tools and functions (contract 1.1). */
const toolName = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'expected 1 to 64 of A-Z a-z 0-9 _ -');

/** One content part. Only the fields of text are named: what other kinds hold does not matter while they are refused. */
export const partSchema = z.looseObject({
  type: z.string(),
  text: optional(z.string()),
  refusal: optional(z.string()),
});

const argumentsSchema = optional(z.union([z.string(), z.record(z.string(), z.unknown())]));

/** One earlier call. Some clients send the arguments as an object. */
export const toolCallSchema = z.looseObject({
  id: z.string(),
  type: optional(z.string()),
  function: optional(z.looseObject({ name: z.string(), arguments: argumentsSchema })),
  custom: optional(z.looseObject({ name: z.string(), input: optional(z.string()) })),
});

/** One message of any role: what a role needs is checked where it is decoded, with the path at hand. */
export const messageSchema = z.looseObject({
  role: z.enum(['system', 'developer', 'user', 'assistant', 'tool', 'function']),
  content: optional(z.union([z.string(), z.array(partSchema)])),
  name: optional(z.string()),
  refusal: optional(z.string()),
  tool_calls: optional(z.array(toolCallSchema)),
  tool_call_id: optional(z.string()),
  function_call: optional(z.looseObject({ name: z.string(), arguments: argumentsSchema })),
});

/** One tool of any type; unknown types pass (contract 0.2). */
export const toolSchema = z.looseObject({
  type: z.string(),
  function: optional(z.looseObject({ name: toolName })),
  web_search: optional(z.looseObject({ enable: optional(z.boolean()) })),
});

/** `stream_options`. */
export const streamOptionsSchema = z.looseObject({ include_usage: optional(z.boolean()) });
/** `thinking`, as GLM clients send it. */
export const thinkingSchema = z.looseObject({
  type: optional(z.enum(['enabled', 'disabled', 'adaptive', 'auto'])),
});
/** `reasoning`, as OpenRouter clients send it. */
export const reasoningSchema = z.looseObject({
  effort: optional(z.enum(reasoningEfforts)),
  enabled: optional(z.boolean()),
  exclude: optional(z.boolean()),
});
/** `chat_template_kwargs`, as vLLM clients send it. */
export const chatTemplateSchema = z.looseObject({ enable_thinking: optional(z.boolean()) });
/** `web_search_options`: its presence is all that counts. */
export const webSearchOptionsSchema = z.looseObject({});

/** The body of a request, as far as it is used or refused; unknown keys are kept, to be named as ignored (contract 1.1). */
export const requestSchema = z.looseObject({
  model: optional(z.string()),
  messages: z.array(messageSchema).min(1),
  stream: optional(z.boolean()),
  stream_options: optional(streamOptionsSchema),
  max_completion_tokens: optional(z.int().min(1)),
  max_tokens: optional(z.int().min(1)),
  temperature: optional(z.number().min(0).max(2)),
  do_sample: optional(z.boolean()),
  top_p: optional(z.number().min(0).max(1)),
  stop: optional(z.union([z.string(), z.array(z.string()).max(4)])),
  tools: optional(z.array(toolSchema).max(128)),
  tool_choice: optional(z.union([z.enum(['none', 'auto', 'required']), z.looseObject({ type: z.string() })])),
  functions: optional(z.array(z.looseObject({ name: toolName })).max(128)),
  function_call: optional(z.union([z.enum(['none', 'auto']), z.looseObject({ name: z.string() })])),
  response_format: optional(z.looseObject({ type: z.enum(['text', 'json_object', 'json_schema']) })),
  reasoning_effort: optional(z.enum(reasoningEfforts)),
  thinking: optional(thinkingSchema),
  enable_thinking: optional(z.boolean()),
  chat_template_kwargs: optional(chatTemplateSchema),
  reasoning: optional(z.union([z.boolean(), reasoningSchema])),
  web_search_options: optional(webSearchOptionsSchema),
  n: optional(z.int().min(1).max(128)),
  logprobs: optional(z.boolean()),
  top_logprobs: optional(z.int().min(0).max(20)),
  modalities: optional(z.array(z.string())),
  audio: optional(z.unknown()),
  frequency_penalty: optional(z.number().min(-2).max(2)),
  presence_penalty: optional(z.number().min(-2).max(2)),
});

/** A checked request: absent and null are both `undefined`. */
export type WireRequest = z.output<typeof requestSchema>;
/** One checked message. */
export type WireMessage = z.output<typeof messageSchema>;
/** One checked content part. */
export type WirePart = z.output<typeof partSchema>;
/** One checked earlier call. */
export type WireToolCall = z.output<typeof toolCallSchema>;
