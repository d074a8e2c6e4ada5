import type Anthropic from '@anthropic-ai/sdk';
import { z } from 'zod';

const count = z.int().min(0);
const id = (prefix: string): z.ZodString => z.string().regex(new RegExp(`^${prefix}_[A-Za-z0-9]+$`));

const citation = z.strictObject({
  type: z.literal('web_search_result_location'),
  url: z.string().min(1),
  title: z.string().min(1).nullable(),
  cited_text: z.literal(''),
  encrypted_index: z.literal(''),
}) satisfies z.ZodType<Anthropic.CitationsWebSearchResultLocation>;

const textBlock = z.strictObject({
  type: z.literal('text'),
  text: z.string(),
  citations: z.array(citation).min(1).nullable(),
}) satisfies z.ZodType<Anthropic.TextBlock>;

const thinkingBlock = z.strictObject({
  type: z.literal('thinking'),
  thinking: z.string(),
  signature: z.string(),
}) satisfies z.ZodType<Anthropic.ThinkingBlock>;

const toolUseBlock = z.strictObject({
  type: z.literal('tool_use'),
  id: z.string().regex(/^toolu_[A-Za-z0-9_-]{1,34}$/),
  name: z.string().min(1),
  input: z.record(z.string(), z.unknown()),
  caller: z.strictObject({ type: z.literal('direct') }),
}) satisfies z.ZodType<Anthropic.ToolUseBlock>;

const block = z.discriminatedUnion('type', [textBlock, thinkingBlock, toolUseBlock]);

const stopDetails = z.strictObject({
  type: z.literal('refusal'),
  category: z.null(),
  explanation: z.string().nullable(),
}) satisfies z.ZodType<Anthropic.RefusalStopDetails>;

const stopReason = z.enum(['end_turn', 'max_tokens', 'stop_sequence', 'tool_use', 'refusal']);
const stop = {
  stop_reason: stopReason,
  stop_sequence: z.string().min(1).nullable(),
  stop_details: stopDetails.nullable(),
};

const totals = {
  input_tokens: count,
  output_tokens: count,
  cache_creation_input_tokens: z.literal(0),
  cache_read_input_tokens: count,
  output_tokens_details: z.strictObject({ thinking_tokens: count }),
  server_tool_use: z.null(),
};

const usage = z.strictObject({
  ...totals,
  cache_creation: z.null(),
  inference_geo: z.null(),
  service_tier: z.literal('standard'),
  speed: z.null(),
}) satisfies z.ZodType<Anthropic.Usage>;

const message = {
  id: id('msg'),
  type: z.literal('message'),
  role: z.literal('assistant'),
  model: z.string().min(1),
  container: z.null(),
  diagnostics: z.null(),
  usage,
};

/** A whole answer of ours, in the newest client's types: every key is there, nothing is empty, the reason to stop is never null (contract 3.4). */
export const messageSchema = z
  .strictObject({ ...message, ...stop, content: z.array(block) })
  .refine(({ content }) => content.every(isFilled), 'a block is empty') satisfies z.ZodType<Anthropic.Message>;
/** A whole answer. */
export type WireMessage = z.output<typeof messageSchema>;

const messageStart = z.strictObject({
  type: z.literal('message_start'),
  message: z.strictObject({
    ...message,
    content: z.tuple([]),
    stop_reason: z.null(),
    stop_sequence: z.null(),
    stop_details: z.null(),
  }),
}) satisfies z.ZodType<Omit<Anthropic.MessageStartEvent, 'message'>>;

const index = { index: count };

const blockStart = z.strictObject({
  type: z.literal('content_block_start'),
  ...index,
  // All of a block comes behind its start.
  content_block: z.discriminatedUnion('type', [
    textBlock.extend({ text: z.literal(''), citations: z.null() }),
    thinkingBlock.extend({ thinking: z.literal(''), signature: z.literal('') }),
    toolUseBlock.extend({ input: z.strictObject({}) }),
  ]),
}) satisfies z.ZodType<Anthropic.ContentBlockStartEvent>;

const blockDelta = z.strictObject({
  type: z.literal('content_block_delta'),
  ...index,
  delta: z.discriminatedUnion('type', [
    z.strictObject({ type: z.literal('text_delta'), text: z.string().min(1) }),
    z.strictObject({ type: z.literal('citations_delta'), citation }),
    z.strictObject({ type: z.literal('thinking_delta'), thinking: z.string().min(1) }),
    z.strictObject({ type: z.literal('signature_delta'), signature: z.string().min(1) }),
    z.strictObject({ type: z.literal('input_json_delta'), partial_json: z.string() }),
  ]),
}) satisfies z.ZodType<Anthropic.ContentBlockDeltaEvent>;

const blockStop = z.strictObject({
  type: z.literal('content_block_stop'),
  ...index,
}) satisfies z.ZodType<Anthropic.ContentBlockStopEvent>;

const messageDelta = z.strictObject({
  type: z.literal('message_delta'),
  delta: z.strictObject({ ...stop, container: z.null() }),
  usage: z.strictObject(totals),
}) satisfies z.ZodType<Anthropic.MessageDeltaEvent>;

const messageStop = z.strictObject({ type: z.literal('message_stop') }) satisfies z.ZodType<Anthropic.MessageStopEvent>;

/** Not in the client's types: it passes over the first and throws the second. */
const ping = z.strictObject({ type: z.literal('ping') });
const errorType = z.enum([
  'invalid_request_error',
  'authentication_error',
  'billing_error',
  'permission_error',
  'not_found_error',
  'request_too_large',
  'rate_limit_error',
  'timeout_error',
  'overloaded_error',
  'api_error',
]);
const errorObject = z.strictObject({ type: errorType, message: z.string().min(1) });
const error = z.strictObject({ type: z.literal('error'), error: errorObject });

/** The body of a failure (contract 3.6). */
export const errorBodySchema = error.extend({ request_id: z.string().regex(/^req_[0-9a-f]{32}$/) });

/** One event of a stream (contract 3.5). */
export const messageEventSchema = z.discriminatedUnion('type', [
  messageStart,
  ping,
  blockStart,
  blockDelta,
  blockStop,
  messageDelta,
  messageStop,
  error,
]);
/** One event of a stream. */
export type WireMessageEvent = z.output<typeof messageEventSchema>;

/** One model of the list (contract 4.1). */
export const modelSchema = z.strictObject({
  type: z.literal('model'),
  id: z.string().min(1),
  display_name: z.string().min(1),
  created_at: z.iso.datetime(),
  max_input_tokens: count.nullable(),
  max_tokens: count.nullable(),
  capabilities: z.null(),
  lifecycle: z.literal('active'),
  line: z.null(),
  deprecated_at: z.null(),
  retires_at: z.null(),
}) satisfies z.ZodType<Anthropic.ModelInfo>;

function isFilled(filled: z.output<typeof block>): boolean {
  if (filled.type === 'text') return filled.text !== '';
  return filled.type === 'tool_use' || filled.signature !== '';
}
