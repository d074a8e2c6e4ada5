import { reasoningEfforts, reasoningRenderings } from '@zai2api/turn';
import * as z from 'zod';
import { optional } from '../request/optional.ts';
import { modelName, stopText } from '../request/short-text.ts';

/** Names of tools and functions (contract 1.1). */
const toolName = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'expected 1 to 64 of A-Z a-z 0-9 _ -');

/** An address inside a part: an object in this dialect, bare in others whose parts end up here. */
export const addressSchema = z.looseObject({ url: z.string() });
const anyAddress = optional(z.union([z.string(), addressSchema]));

const fileFields = {
  file_data: optional(z.string()),
  file_id: optional(z.string()),
  file_url: anyAddress,
  filename: optional(z.string()),
};

/** `file` of a part. */
export const fileSchema = z.looseObject(fileFields);

/** One content part of any kind: what a kind needs is checked where it is decoded. */
export const partSchema = z.looseObject({
  type: z.string(),
  text: optional(z.string()),
  refusal: optional(z.string()),
  image_url: anyAddress,
  video_url: anyAddress,
  file: optional(fileSchema),
  ...fileFields,
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
  reasoning_content: optional(z.string()),
  tool_call_id: optional(z.string()),
  function_call: optional(z.looseObject({ name: z.string(), arguments: argumentsSchema })),
});

/** A function that a model may call, in `tools` and in the legacy `functions`. */
export const functionSchema = z.looseObject({
  name: toolName,
  description: optional(z.string()),
  parameters: optional(z.record(z.string(), z.unknown())),
  strict: optional(z.boolean()),
});
/** A tool that takes free text. */
export const customToolSchema = z.looseObject({
  name: toolName,
  description: optional(z.string()),
  format: optional(z.looseObject({ type: z.string() })),
});
/** The settings of a search tool, as GLM clients send it. */
export const webSearchToolSchema = z.looseObject({ enable: optional(z.boolean()) });
/** One tool of any type; unknown types pass (contract 0.2). */
export const toolSchema = z.looseObject({
  type: z.string(),
  function: optional(functionSchema),
  custom: optional(customToolSchema),
  web_search: optional(webSearchToolSchema),
});

const nameSchema = optional(z.looseObject({ name: z.string() }));
const namedTool = { type: z.string(), function: nameSchema, custom: nameSchema };
const namedToolSchema = z.looseObject(namedTool);
const toolChoiceSchema = z.looseObject({
  ...namedTool,
  allowed_tools: optional(z.looseObject({ mode: z.enum(['auto', 'required']), tools: z.array(namedToolSchema) })),
});

/** `response_format.json_schema`; its schema is checked where it is decoded. */
export const jsonSchemaFormatSchema = z.looseObject({
  name: toolName,
  description: optional(z.string()),
  schema: z.unknown(),
  strict: optional(z.boolean()),
});
/** `response_format`. */
export const responseFormatSchema = z.looseObject({
  type: z.enum(['text', 'json_object', 'json_schema']),
  json_schema: optional(jsonSchemaFormatSchema),
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
  model: optional(modelName),
  messages: z.array(messageSchema).min(1),
  stream: optional(z.boolean()),
  stream_options: optional(streamOptionsSchema),
  max_completion_tokens: optional(z.int().min(1)),
  max_tokens: optional(z.int().min(1)),
  temperature: optional(z.number().min(0).max(2)),
  do_sample: optional(z.boolean()),
  top_p: optional(z.number().min(0).max(1)),
  stop: optional(z.union([stopText, z.array(stopText).max(4)])),
  tools: optional(z.array(toolSchema).max(128)),
  tool_choice: optional(z.union([z.enum(['none', 'auto', 'required']), toolChoiceSchema])),
  parallel_tool_calls: optional(z.boolean()),
  functions: optional(z.array(functionSchema).max(128)),
  function_call: optional(z.union([z.enum(['none', 'auto']), z.looseObject({ name: z.string() })])),
  response_format: optional(responseFormatSchema),
  think_tags_mode: optional(z.enum(reasoningRenderings)),
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
/** One checked tool. */
export type WireTool = z.output<typeof toolSchema>;
/** One checked function declaration. */
export type WireFunction = z.output<typeof functionSchema>;
/** A tool as `tool_choice` names it. */
export type WireNamedTool = z.output<typeof namedToolSchema>;
/** What a part says about a file. */
export type WireFile = Pick<WirePart, keyof typeof fileFields>;
/** Where a part's content is. */
export type WireAddress = WirePart['image_url'];
