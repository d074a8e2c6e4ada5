import * as z from 'zod';
import { optional } from '../request/optional.ts';
import { modelName, stopText } from '../request/short-text.ts';

/** The official API names no bound. All of them are looked for with every piece of an answer. */
const MAX_STOP_SEQUENCES = 64;

/** Known to be without effect here, and sent so often that naming it would drown what matters. */
const unused = optional(z.unknown());
const cached = { cache_control: unused };

/** A content block of any type: what a type needs is checked where it is decoded, for there are types that nobody here knows. */
export const blockSchema = z.looseObject({ type: z.string() });
/** One checked block, its own fields still unread. */
export type WireBlock = z.output<typeof blockSchema>;
const content = z.union([z.string(), z.array(blockSchema)]);

/** `text`. */
export const textBlockSchema = z.looseObject({ type: z.string(), text: z.string(), citations: unused, ...cached });
/** `thinking`. A block of another maker may lack what ours have. */
export const thinkingBlockSchema = z.looseObject({ thinking: optional(z.string()), signature: optional(z.string()) });
/** `redacted_thinking`. */
export const redactedBlockSchema = z.looseObject({ data: optional(z.string()) });
/** `tool_use`, an earlier call. */
export const toolUseBlockSchema = z.looseObject({
  id: z.string(),
  name: z.string(),
  input: optional(z.record(z.string(), z.unknown())),
});
/** `tool_result`. */
export const toolResultBlockSchema = z.looseObject({
  tool_use_id: z.string(),
  content: optional(content),
  is_error: optional(z.boolean()),
});
/** `tool_reference`: a deferred tool that a search has found. */
export const toolReferenceSchema = z.looseObject({ tool_name: z.string() });
/** `compaction`: what is left of a conversation that its API has shortened. */
export const compactionBlockSchema = z.looseObject({ content: optional(z.string()) });
/** `search_result`. */
export const searchResultBlockSchema = z.looseObject({
  source: optional(z.string()),
  title: optional(z.string()),
  content: optional(z.array(blockSchema)),
});
/** `image`. */
export const imageBlockSchema = z.looseObject({ source: blockSchema });
/** `document`. */
export const documentBlockSchema = z.looseObject({
  source: blockSchema,
  title: optional(z.string()),
  context: optional(z.string()),
});
/** A `source` with bytes. */
export const base64SourceSchema = z.looseObject({ media_type: optional(z.string()), data: z.string() });
/** A `source` with an address. */
export const urlSourceSchema = z.looseObject({ url: z.string() });
/** A `source` with text. */
export const textSourceSchema = z.looseObject({ data: z.string() });
/** A `source` with blocks. */
export const contentSourceSchema = z.looseObject({ content });

/** One tool of any type; unknown types pass (contract 0.2). */
export const toolSchema = z.looseObject({
  type: optional(z.string()),
  name: optional(z.string()),
  defer_loading: optional(z.boolean()),
});
/** One checked tool, its own fields still unread. */
export type WireTool = z.output<typeof toolSchema>;
/** A tool that the client runs. */
export const customToolSchema = z.looseObject({
  type: unused,
  name: z.string().regex(/^[A-Za-z0-9_-]{1,128}$/, 'expected 1 to 128 of A-Z a-z 0-9 _ -'),
  description: optional(z.string()),
  input_schema: z.record(z.string(), z.unknown()),
  strict: optional(z.boolean()),
  defer_loading: unused,
  eager_input_streaming: unused,
  input_examples: unused,
  allowed_callers: unused,
  ...cached,
});

/** `tool_addition` and `tool_removal`: how a conversation changes its tools on the way. */
export const toolChangeSchema = z.looseObject({
  tool: z.looseObject({ type: z.string(), name: optional(z.string()), definition: optional(toolSchema) }),
});

/** `thinking`. */
export const thinkingSchema = z.looseObject({
  type: z.string(),
  budget_tokens: optional(z.number()),
  display: optional(z.string()),
});
/** A form of the answer, in `output_config` and, as it was called before, in `output_format`. */
export const formatSchema = z.looseObject({ type: z.string(), schema: unused });
/** `output_config`. */
export const outputConfigSchema = z.looseObject({ effort: optional(z.string()), format: optional(formatSchema) });
/** `thread`: a conversation that the API is to hold between turns. */
export const threadSchema = z.looseObject({ type: z.string() });
/** `tool_choice`. */
export const toolChoiceSchema = z.looseObject({
  type: z.enum(['auto', 'any', 'tool', 'none']),
  name: optional(z.string()),
  disable_parallel_tool_use: optional(z.boolean()),
});

/** One message. The last two fields are for instructions on the way: how long they count, and how hard the turn behind them is to be. */
export const messageSchema = z.looseObject({
  role: z.enum(['user', 'assistant', 'system']),
  content: optional(content),
  clear_at: optional(z.string()),
  output_config: optional(outputConfigSchema),
});
/** One checked message. */
export type WireMessage = z.output<typeof messageSchema>;

const conversation = {
  model: optional(modelName),
  messages: z.array(messageSchema).min(1),
  system: optional(z.union([z.string(), z.array(blockSchema)])),
  tools: optional(z.array(toolSchema)),
  tool_choice: optional(toolChoiceSchema),
  thinking: optional(thinkingSchema),
  output_config: optional(outputConfigSchema),
  output_format: optional(formatSchema),
  thread: optional(threadSchema),
  ...cached,
};

/** The body of `count_tokens`: a request without what only an answer needs (contract 3.7). */
export const countSchema = z.looseObject(conversation);
/** The body of a request, as far as it is used; unknown keys are kept, to be named as ignored (contract 3.2). */
export const requestSchema = z.looseObject({
  ...conversation,
  max_tokens: z.int().min(0),
  stream: optional(z.boolean()),
  stop_sequences: optional(z.array(stopText).max(MAX_STOP_SEQUENCES)),
  temperature: optional(z.number().min(0).max(1)),
  top_p: optional(z.number().min(0).max(1)),
  metadata: unused,
});
/** A checked conversation: absent and null are both `undefined`. */
export type WireConversation = z.output<typeof countSchema>;
/** A checked request. */
export type WireRequest = z.output<typeof requestSchema>;
