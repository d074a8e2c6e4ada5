import { reasoningEfforts, reasoningRenderings } from '@zai2api/turn';
import * as z from 'zod';
import { optional } from '../request/optional.ts';
import { label, modelName } from '../request/short-text.ts';

const anything = optional(z.unknown());

/** Names of tools (contract 1.1). */
const toolName = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'expected 1 to 64 of A-Z a-z 0-9 _ -');

/** One content part of any kind: what a kind needs is checked where it is decoded. What answers carry and nobody reads back is known, too. */
export const partSchema = z.looseObject({
  type: z.string(),
  text: optional(z.string()),
  refusal: optional(z.string()),
  image_url: optional(z.union([z.string(), z.looseObject({ url: z.string() })])),
  file_data: optional(z.string()),
  file_id: optional(z.string()),
  file_url: optional(z.string()),
  filename: optional(z.string()),
  annotations: anything,
  logprobs: anything,
});
const contentSchema = optional(z.union([z.string(), z.array(partSchema)]));

/** What all items have in common; anything else depends on the type. */
export const itemSchema = z.looseObject({
  type: optional(z.string()),
  role: optional(z.string()),
  id: optional(z.string()),
  status: anything,
});
const itemFields = itemSchema.shape;

/** A message, with or without a `type`. */
export const messageSchema = z.looseObject({
  ...itemFields,
  role: z.enum(['user', 'assistant', 'system', 'developer']),
  content: contentSchema,
  phase: anything,
});
const namedCall = { call_id: z.string(), name: z.string(), namespace: optional(z.string()) };
/** An earlier call of a function. Some clients send the arguments as an object. */
export const functionCallSchema = z.looseObject({
  ...itemFields,
  ...namedCall,
  arguments: optional(z.union([z.string(), z.record(z.string(), z.unknown())])),
});
/** An earlier call of a tool that takes free text. */
export const customCallSchema = z.looseObject({ ...itemFields, ...namedCall, input: optional(z.string()) });
/** The result of either; what is neither text nor parts is kept as JSON. */
export const callOutputSchema = z.looseObject({
  ...itemFields,
  call_id: optional(z.string()),
  name: optional(z.string()),
  output: optional(z.union([z.string(), z.array(partSchema), z.unknown()])),
});
/** An earlier thought. */
export const reasoningItemSchema = z.looseObject({
  ...itemFields,
  summary: optional(z.array(z.looseObject({ text: optional(z.string()) }))),
  content: anything,
  encrypted_content: optional(z.string()),
});

/** A tool, at the top or in a namespace; unknown types pass (contract 0.2). */
export const toolSchema = z.looseObject({ type: z.string() });
/** A function tool: flat, unlike in chat. */
export const functionToolSchema = z.looseObject({
  type: z.string(),
  name: toolName,
  description: optional(z.string()),
  parameters: optional(z.record(z.string(), z.unknown())),
  strict: optional(z.boolean()),
});
/** A tool that takes free text. */
export const customToolSchema = z.looseObject({
  type: z.string(),
  name: toolName,
  description: optional(z.string()),
  format: optional(z.looseObject({ type: z.string(), syntax: optional(z.string()), definition: optional(z.string()) })),
});
/** Tools under a common name. */
export const namespaceToolSchema = z.looseObject({
  type: z.string(),
  name: z.string().min(1).max(256),
  description: optional(z.string()),
  tools: z.array(toolSchema),
});
/** Tools that come with the input instead of beside it. */
export const additionalToolsSchema = z.looseObject({ ...itemFields, tools: z.array(toolSchema) });

const namedToolSchema = z.looseObject({
  type: z.string(),
  name: optional(z.string()),
  namespace: optional(z.string()),
});
const toolChoiceSchema = z.looseObject({
  ...namedToolSchema.shape,
  mode: optional(z.enum(['auto', 'required'])),
  tools: optional(z.array(namedToolSchema)),
});

/** `text.format`: flat, unlike in chat. */
export const textFormatSchema = z.looseObject({
  type: z.enum(['text', 'json_object', 'json_schema']),
  name: optional(toolName),
  description: optional(z.string()),
  schema: anything,
  strict: optional(z.boolean()),
});
/** `text`. */
export const textSchema = z.looseObject({ format: optional(textFormatSchema), verbosity: optional(z.string()) });
/** `reasoning`. */
export const reasoningSchema = z.looseObject({
  effort: optional(z.enum(reasoningEfforts)),
  summary: optional(z.string()),
  generate_summary: optional(z.string()),
});
/** Far more than the sixteen pairs that the official API takes. It is repeated in every state of a response. */
const MAX_METADATA_CHARACTERS = 16_000;
const metadataSchema = z
  .record(z.string(), z.unknown())
  .refine(
    (metadata) => JSON.stringify(metadata).length <= MAX_METADATA_CHARACTERS,
    `expected at most ${MAX_METADATA_CHARACTERS} characters`,
  );

/** `stream_options`. */
export const streamOptionsSchema = z.looseObject({});

/** The body of a request, as far as it is used, echoed or refused; unknown keys are kept, to be named as ignored (contract 2.3). */
export const requestSchema = z.looseObject({
  model: optional(modelName),
  input: optional(z.union([z.string(), z.array(itemSchema)])),
  instructions: optional(z.string()),
  stream: optional(z.boolean()),
  stream_options: optional(streamOptionsSchema),
  max_output_tokens: optional(z.int().min(1)),
  temperature: optional(z.number().min(0).max(2)),
  top_p: optional(z.number().min(0).max(1)),
  reasoning: optional(reasoningSchema),
  think_tags_mode: optional(z.enum(reasoningRenderings)),
  text: optional(textSchema),
  tools: optional(z.array(toolSchema)),
  tool_choice: optional(z.union([z.enum(['none', 'auto', 'required']), toolChoiceSchema])),
  parallel_tool_calls: optional(z.boolean()),
  max_tool_calls: optional(z.int().min(1)),
  previous_response_id: optional(label),
  store: optional(z.boolean()),
  background: optional(z.boolean()),
  include: optional(z.array(z.string())),
  truncation: optional(z.enum(['auto', 'disabled'])),
  metadata: optional(metadataSchema),
  safety_identifier: optional(label),
  prompt_cache_key: optional(label),
  user: optional(label),
  service_tier: optional(label),
  top_logprobs: optional(z.int().min(0).max(20)),
  prompt: anything,
  conversation: anything,
});

/** A checked request: absent and null are both `undefined`. */
export type WireRequest = z.output<typeof requestSchema>;
/** What a response repeats of its request. */
export type EchoedRequest = Pick<
  WireRequest,
  | 'model'
  | 'instructions'
  | 'max_output_tokens'
  | 'temperature'
  | 'top_p'
  | 'reasoning'
  | 'text'
  | 'tools'
  | 'tool_choice'
  | 'parallel_tool_calls'
  | 'max_tool_calls'
  | 'previous_response_id'
  | 'background'
  | 'truncation'
  | 'metadata'
  | 'safety_identifier'
  | 'prompt_cache_key'
  | 'user'
>;
/** One item, as far as all items are alike. */
export interface WireItem {
  readonly type?: string | undefined;
  readonly id?: string | undefined;
  readonly role?: unknown;
  readonly [key: string]: unknown;
}
/** One checked content part. */
export type WirePart = z.output<typeof partSchema>;
/** One checked tool, as far as all tools are alike. */
export type WireTool = z.output<typeof toolSchema>;
/** A tool as `tool_choice` names it. */
export type WireNamedTool = z.output<typeof namedToolSchema>;
/** The result of a call. */
export type WireCallOutput = z.output<typeof callOutputSchema>;
