import type OpenAI from 'openai';
import { z } from 'zod';

type Event<Type extends OpenAI.Responses.ResponseStreamEvent['type']> = Extract<
  OpenAI.Responses.ResponseStreamEvent,
  { type: Type }
>;
/**
 * What a client reads of a response: `output_text` is its own convenience and never on the wire, usage is null until the end (contract 2.6),
 * and what is repeated of the request is as loose as the request.
 */
type ReadResponse = Omit<
  OpenAI.Responses.Response,
  'output_text' | 'usage' | 'user' | 'error' | 'output' | 'text' | 'tool_choice' | 'tools' | 'metadata'
>;

const id = (prefix: string): z.ZodString => z.string().regex(new RegExp(`^${prefix}_[A-Za-z0-9]+(?:_\\d+)?$`));
const index = z.int().min(0);
const itemStatus = z.enum(['in_progress', 'completed', 'incomplete']);
const callId = z.string().regex(/^[A-Za-z0-9_-]{1,40}$/);

const urlCitation = z.strictObject({
  type: z.literal('url_citation'),
  url: z.string(),
  title: z.string(),
  start_index: index,
  end_index: index,
}) satisfies z.ZodType<OpenAI.Responses.ResponseOutputText.URLCitation>;

const outputText = z.strictObject({
  type: z.literal('output_text'),
  text: z.string(),
  annotations: z.array(urlCitation),
  logprobs: z.tuple([]),
}) satisfies z.ZodType<OpenAI.Responses.ResponseOutputText>;

const refusal = z.strictObject({
  type: z.literal('refusal'),
  refusal: z.string(),
}) satisfies z.ZodType<OpenAI.Responses.ResponseOutputRefusal>;

const part = z.discriminatedUnion('type', [outputText, refusal]);
const summaryPart = z.strictObject({ type: z.literal('summary_text'), text: z.string() });

const message = z.strictObject({
  id: id('msg'),
  type: z.literal('message'),
  role: z.literal('assistant'),
  status: itemStatus,
  content: z.array(part),
}) satisfies z.ZodType<OpenAI.Responses.ResponseOutputMessage>;

const reasoning = z.strictObject({
  id: id('rs'),
  type: z.literal('reasoning'),
  summary: z.array(summaryPart),
  encrypted_content: z.string().min(1).optional(),
  status: itemStatus,
}) satisfies z.ZodType<Omit<OpenAI.Responses.ResponseReasoningItem, 'encrypted_content'>>;

const functionCall = z.strictObject({
  id: id('fc'),
  type: z.literal('function_call'),
  call_id: callId,
  name: z.string().min(1),
  namespace: z.string().optional(),
  arguments: z.string(),
  status: itemStatus,
}) satisfies z.ZodType<Omit<OpenAI.Responses.ResponseFunctionToolCall, 'namespace'>>;

const customCall = z.strictObject({
  id: id('ctc'),
  type: z.literal('custom_tool_call'),
  call_id: callId,
  name: z.string().min(1),
  namespace: z.string().optional(),
  input: z.string(),
  status: itemStatus,
}) satisfies z.ZodType<Omit<OpenAI.Responses.ResponseCustomToolCall, 'namespace'>>;

const item = z.discriminatedUnion('type', [message, reasoning, functionCall, customCall]);

const usage = z
  .strictObject({
    input_tokens: index,
    input_tokens_details: z.strictObject({ cached_tokens: index, cache_write_tokens: index }),
    output_tokens: index,
    output_tokens_details: z.strictObject({ reasoning_tokens: index }),
    total_tokens: index,
  })
  .refine(
    (value) => value.total_tokens === value.input_tokens + value.output_tokens,
    'the sum',
  ) satisfies z.ZodType<OpenAI.Responses.ResponseUsage>;

/** A response with every key of contract 2.6 and no other. */
export const responseSchema = z.strictObject({
  id: id('resp'),
  object: z.literal('response'),
  created_at: z.int(),
  completed_at: z.int().nullable(),
  status: z.enum(['queued', 'in_progress', 'completed', 'incomplete', 'failed', 'cancelled']),
  background: z.boolean(),
  error: z
    .strictObject({
      // The last three are what Codex reads besides those of the official types (contract 2.6).
      code: z.enum([
        'server_error',
        'rate_limit_exceeded',
        'invalid_prompt',
        'context_length_exceeded',
        'insufficient_quota',
        'server_is_overloaded',
      ]),
      message: z.string().min(1),
    })
    .nullable(),
  incomplete_details: z.strictObject({ reason: z.enum(['max_output_tokens', 'content_filter']) }).nullable(),
  instructions: z.string().nullable(),
  max_output_tokens: z.int().nullable(),
  max_tool_calls: z.int().nullable(),
  model: z.string().min(1),
  output: z.array(item),
  parallel_tool_calls: z.boolean(),
  previous_response_id: z.string().nullable(),
  prompt_cache_key: z.string().nullable(),
  reasoning: z.strictObject({
    effort: z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']).nullable(),
    summary: z.enum(['auto', 'concise', 'detailed']).nullable(),
  }),
  safety_identifier: z.string().nullable(),
  service_tier: z.literal('default'),
  store: z.boolean(),
  temperature: z.number(),
  text: z.strictObject({
    format: z.looseObject({ type: z.enum(['text', 'json_object', 'json_schema']) }),
    verbosity: z.enum(['low', 'medium', 'high']).optional(),
  }),
  tool_choice: z.union([z.enum(['none', 'auto', 'required']), z.looseObject({ type: z.string() })]),
  tools: z.array(z.looseObject({ type: z.string() })),
  top_logprobs: z.literal(0),
  top_p: z.number(),
  presence_penalty: z.literal(0),
  frequency_penalty: z.literal(0),
  truncation: z.enum(['auto', 'disabled']),
  usage: usage.nullable(),
  user: z.string().nullable(),
  metadata: z.record(z.string(), z.unknown()),
  access_programs: z.null(),
}) satisfies z.ZodType<ReadResponse>;

/** A response as it leaves. */
export type WireResponseObject = z.output<typeof responseSchema>;

const numbered = { sequence_number: index };
const ofItem = { ...numbered, item_id: z.string().min(1), output_index: index };
const ofContent = { ...ofItem, content_index: z.literal(0) };
const ofSummary = { ...ofItem, summary_index: z.literal(0) };
const lifecycle = <Type extends string, Status extends string>(type: Type, ...statuses: [Status, ...Status[]]) =>
  z.strictObject({
    type: z.literal(type),
    ...numbered,
    response: responseSchema.extend({ status: z.enum(statuses) }),
  });

/** Every event that a stream may hold (contract 2.7). Official helpers throw at others (contract 0.12). */
export const eventSchema = z.discriminatedUnion('type', [
  lifecycle('response.created', 'queued', 'in_progress'),
  lifecycle('response.queued', 'queued'),
  lifecycle('response.in_progress', 'in_progress'),
  lifecycle('response.completed', 'completed'),
  lifecycle('response.incomplete', 'incomplete', 'cancelled'),
  lifecycle('response.failed', 'failed'),
  z.strictObject({ type: z.literal('response.output_item.added'), ...numbered, output_index: index, item }),
  z.strictObject({ type: z.literal('response.output_item.done'), ...numbered, output_index: index, item }),
  z.strictObject({ type: z.literal('response.content_part.added'), ...ofContent, part }),
  z.strictObject({ type: z.literal('response.content_part.done'), ...ofContent, part }),
  z.strictObject({
    type: z.literal('response.output_text.delta'),
    ...ofContent,
    delta: z.string().min(1),
    logprobs: z.tuple([]),
  }) satisfies z.ZodType<Event<'response.output_text.delta'>>,
  z.strictObject({
    type: z.literal('response.output_text.done'),
    ...ofContent,
    text: z.string(),
    logprobs: z.tuple([]),
  }) satisfies z.ZodType<Event<'response.output_text.done'>>,
  z.strictObject({
    type: z.literal('response.output_text.annotation.added'),
    ...ofContent,
    annotation_index: index,
    annotation: urlCitation,
  }) satisfies z.ZodType<Event<'response.output_text.annotation.added'>>,
  z.strictObject({
    type: z.literal('response.refusal.delta'),
    ...ofContent,
    delta: z.string().min(1),
  }) satisfies z.ZodType<Event<'response.refusal.delta'>>,
  z.strictObject({
    type: z.literal('response.refusal.done'),
    ...ofContent,
    refusal: z.string(),
  }) satisfies z.ZodType<Event<'response.refusal.done'>>,
  z.strictObject({
    type: z.literal('response.reasoning_summary_part.added'),
    ...ofSummary,
    part: summaryPart,
  }) satisfies z.ZodType<Event<'response.reasoning_summary_part.added'>>,
  z.strictObject({
    type: z.literal('response.reasoning_summary_text.delta'),
    ...ofSummary,
    delta: z.string().min(1),
  }) satisfies z.ZodType<Event<'response.reasoning_summary_text.delta'>>,
  z.strictObject({
    type: z.literal('response.reasoning_summary_text.done'),
    ...ofSummary,
    text: z.string(),
  }) satisfies z.ZodType<Event<'response.reasoning_summary_text.done'>>,
  z.strictObject({
    type: z.literal('response.reasoning_summary_part.done'),
    ...ofSummary,
    part: summaryPart,
  }) satisfies z.ZodType<Event<'response.reasoning_summary_part.done'>>,
  z.strictObject({
    type: z.literal('response.function_call_arguments.delta'),
    ...ofItem,
    delta: z.string().min(1),
  }) satisfies z.ZodType<Event<'response.function_call_arguments.delta'>>,
  z.strictObject({
    type: z.literal('response.function_call_arguments.done'),
    ...ofItem,
    name: z.string().min(1),
    arguments: z.string(),
  }) satisfies z.ZodType<Event<'response.function_call_arguments.done'>>,
  z.strictObject({
    type: z.literal('response.custom_tool_call_input.delta'),
    ...ofItem,
    delta: z.string().min(1),
  }) satisfies z.ZodType<Event<'response.custom_tool_call_input.delta'>>,
  z.strictObject({
    type: z.literal('response.custom_tool_call_input.done'),
    ...ofItem,
    input: z.string(),
  }) satisfies z.ZodType<Event<'response.custom_tool_call_input.done'>>,
]);

/** One event of a stream. */
export type WireEvent = z.output<typeof eventSchema>;
