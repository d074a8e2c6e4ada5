import type { TurnRequest } from '@zai2api/turn';
import type { DecodedRequest } from '../client-dialect.ts';
import { decodeMessages } from './decode-messages.ts';
import { decodeReasoning } from './decode-reasoning.ts';
import { decodeResponseFormat } from './decode-response-format.ts';
import { decodeToolChoice } from './decode-tool-choice.ts';
import { decodeTools } from './decode-tools.ts';
import { createIgnoredFields, type IgnoredFields } from '../request/ignored-fields.ts';
import { parseBody } from '../request/parse-body.ts';
import { requestSchema, streamOptionsSchema, webSearchOptionsSchema, type WireRequest } from './wire-schema.ts';
import { unsupportedParameter, unsupportedValue } from '../request/request-fault.ts';

/** How one answer is to be written. */
export interface OpenAiChatForm {
  /** True: the stream ends with a usage chunk. Whole answers always carry usage. */
  readonly includeUsage: boolean;
  /** True: calls are answered in the shape that belongs to the deprecated `functions` (contract 1.1). */
  readonly legacyFunctions: boolean;
}

/** A request, and the form of its answer. */
export interface DecodedChatRequest extends Pick<DecodedRequest, 'request' | 'stream' | 'warnings'> {
  readonly form: OpenAiChatForm;
}

/**
 * A chat completion request in the neutral form (contract 1.1, 1.2). Wrong types, and features whose silent omission would falsify the
 * answer, throw with their path; everything else without effect is named in `warnings`. A missing model is `''`: the default is chosen
 * where it is configured.
 */
export function decodeOpenAiChatRequest(body: unknown): DecodedChatRequest {
  const wire = parseBody(requestSchema, body);
  refuseWhatCannotBeGiven(wire);
  const ignored = createIgnoredFields();
  nameIgnoredFields(wire, ignored);
  const { tools, webSearch, legacyFunctions } = decodeTools(wire, ignored);
  const stop = typeof wire.stop === 'string' ? [wire.stop] : (wire.stop ?? []);
  const request: TurnRequest = {
    model: wire.model?.trim() ?? '',
    messages: decodeMessages(wire.messages, ignored),
    reasoning: decodeReasoning(wire, ignored),
    webSearch: wire.web_search_options ? true : webSearch,
    tools,
    toolChoice: decodeToolChoice(wire, tools, ignored),
    // The legacy shape has room for one call.
    parallelToolCalls: !legacyFunctions && (wire.parallel_tool_calls ?? true),
    responseFormat: decodeResponseFormat(wire, ignored),
    sampling: {
      // Greedy decoding is what temperature 0 asks for.
      temperature: wire.do_sample === false ? 0 : wire.temperature,
      topP: wire.top_p,
      maxOutputTokens: wire.max_completion_tokens ?? wire.max_tokens,
      stop: stop.filter((text) => text !== ''),
    },
  };
  return {
    request,
    stream: wire.stream ?? false,
    form: { includeUsage: wire.stream_options?.include_usage ?? false, legacyFunctions },
    warnings: ignored.warnings(),
  };
}

function refuseWhatCannotBeGiven(wire: WireRequest): void {
  if (wire.n !== undefined && wire.n > 1) throw unsupportedValue('n');
  if (wire.logprobs) throw unsupportedParameter('logprobs');
  if (wire.top_logprobs) throw unsupportedParameter('top_logprobs');
  if (wire.modalities?.some((modality) => modality !== 'text')) throw unsupportedValue('modalities');
  if (wire.audio !== undefined) throw unsupportedParameter('audio');
}

function nameIgnoredFields(wire: WireRequest, ignored: IgnoredFields): void {
  ignored.addUnlessDefault('frequency_penalty', wire.frequency_penalty);
  ignored.addUnlessDefault('presence_penalty', wire.presence_penalty);
  if (wire.stream_options) ignored.addUnknown(wire.stream_options, streamOptionsSchema.shape, 'stream_options.');
  if (wire.web_search_options) {
    ignored.addUnknown(wire.web_search_options, webSearchOptionsSchema.shape, 'web_search_options.');
  }
  ignored.addUnknown(wire, requestSchema.shape);
}
