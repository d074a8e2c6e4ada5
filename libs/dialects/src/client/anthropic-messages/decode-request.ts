import { TurnError, type TurnRequest } from '@zai2api/turn';
import type { ClientCodecContext, DecodedRequest } from '../client-dialect.ts';
import { createIgnoredFields, type IgnoredFields } from '../request/ignored-fields.ts';
import { parseBody } from '../request/parse-body.ts';
import { decodeMessages } from './decode-messages.ts';
import { decodeReasoning, type ThinkingDisplay } from './decode-reasoning.ts';
import { decodeResponseFormat } from './decode-response-format.ts';
import { decodeToolChoice } from './decode-tool-choice.ts';
import { decodeTools } from './decode-tools.ts';
import { countSchema, requestSchema, type WireConversation } from './wire-schema.ts';

/** A request, and how the thinking of its answer is to be shown. */
export interface DecodedMessagesRequest extends Pick<DecodedRequest, 'request' | 'stream' | 'warnings'> {
  readonly thinkingDisplay: ThinkingDisplay;
}

type Unsealing = Pick<ClientCodecContext, 'unseal'>;

/**
 * A Messages request in the neutral form (contract 3.2, 3.3). Wrong types of known fields throw with their path; everything else without
 * effect is named in `warnings`, never refused. A missing model is `''`: the default is chosen where it is configured.
 */
export function decodeAnthropicMessagesRequest(body: unknown, context: Unsealing): DecodedMessagesRequest {
  const wire = parseBody(requestSchema, body);
  const ignored = createIgnoredFields();
  ignored.addUnknown(wire, requestSchema.shape);
  const { display, request } = decodeConversation(wire, context, ignored);
  return {
    request: {
      ...request,
      sampling: {
        temperature: wire.temperature,
        topP: wire.top_p,
        maxOutputTokens: wire.max_tokens,
        stop: (wire.stop_sequences ?? []).filter((text) => text !== ''),
      },
    },
    stream: wire.stream ?? false,
    warnings: ignored.warnings(),
    thinkingDisplay: display,
  };
}

/** The body of `count_tokens` in the neutral form, as far as it counts (contract 3.7). Throws as a request does. */
export function decodeAnthropicCountRequest(body: unknown, context: Unsealing): TurnRequest {
  return decodeConversation(parseBody(countSchema, body), context, createIgnoredFields()).request;
}

function decodeConversation(
  wire: WireConversation,
  { unseal }: Unsealing,
  ignored: IgnoredFields,
): { readonly request: TurnRequest; readonly display: ThinkingDisplay } {
  if (wire.thread?.type === 'continue') throw threadNotFound();
  if (wire.thread) ignored.add('thread');
  const { messages, toolChanges } = decodeMessages(wire, unseal, ignored);
  const { tool_choice: choice } = wire;
  // A tool that is demanded needs no search.
  const found = choice?.name === undefined ? [] : [{ type: 'show', name: choice.name } as const];
  const tools = decodeTools(wire.tools ?? [], [...toolChanges, ...found], ignored);
  const { display, ...reasoning } = decodeReasoning(wire, ignored);
  const request: TurnRequest = {
    model: wire.model?.trim() ?? '',
    messages,
    reasoning,
    webSearch: tools.webSearch,
    tools: tools.tools,
    toolChoice: decodeToolChoice(choice, tools),
    parallelToolCalls: !(choice?.disable_parallel_tool_use ?? false),
    responseFormat: decodeResponseFormat(wire, ignored),
    sampling: { stop: [] },
  };
  return { request, display };
}

/** Without what went before, the answer would be to another question. Official clients then send all of it again by themselves. */
function threadNotFound(): TurnError {
  const message = 'There is no such message thread: send the full conversation.';
  return new TurnError('not_found', message, { layer: 'client', param: 'thread', reason: 'thread_not_found' });
}
