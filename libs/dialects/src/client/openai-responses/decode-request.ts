import type { TurnRequest } from '@zai2api/turn';
import type { ClientCodecContext, DecodedRequest } from '../client-dialect.ts';
import { createIgnoredFields, type IgnoredFields } from '../request/ignored-fields.ts';
import { parseBody, parsePart } from '../request/parse-body.ts';
import { invalidValue, missingParameter, unsupportedParameter } from '../request/request-fault.ts';
import { inputItems, storeItems, type StoredConversation, type StoredItem } from './continue-conversation.ts';
import { decodeMessages, type WireConversation } from './decode-messages.ts';
import { decodeReasoning } from './decode-reasoning.ts';
import { decodeResponseFormat } from './decode-response-format.ts';
import { decodeToolChoice } from './decode-tool-choice.ts';
import { decodeTools, type ToolList } from './decode-tools.ts';
import { encodeResponse, type ResponsesForm } from './encode-response.ts';
import { createResponsesStreamEncoder, type ResponsesStreamEncoder } from './encode-stream.ts';
import { createResponseId } from './item-ids.ts';
import { itemNotFound, previousResponseNotFound } from './item-not-found.ts';
import { kindOfItem } from './kind-of-item.ts';
import type { ResponseObject } from './response-object.ts';
import {
  additionalToolsSchema,
  itemSchema,
  requestSchema,
  streamOptionsSchema,
  type EchoedRequest,
  type WireItem,
  type WireRequest,
} from './wire-schema.ts';

const SEALED_THOUGHTS = 'reasoning.encrypted_content';

/** A checked request, before what it refers to is looked up. */
export interface AskedResponse {
  /** The answer is to be kept. */
  readonly store: boolean;
  /** The answer is to come about without anybody waiting for it. */
  readonly background: boolean;
  readonly previousResponseId: string | undefined;
  readonly referencedItemIds: readonly string[];
  /** The request in the neutral form. Throws a TurnError, also when it refers to something that is not in `found`. */
  decode(context: ClientCodecContext, found: FoundItems): DecodedResponseRequest;
}

/** What was kept of what a request refers to. */
export interface FoundItems {
  readonly previous?: StoredConversation | undefined;
  readonly items: ReadonlyMap<string, StoredItem>;
}

/** A request, and how its answer is written and kept. */
export interface DecodedResponseRequest extends DecodedRequest {
  readonly id: string;
  readonly store: boolean;
  readonly background: boolean;
  /** Everything that the answer is made of, as it is kept; empty when it is not to be kept. Large: not to be held on to. */
  readonly conversation: readonly StoredItem[];
  /** The answer will not be kept after all, and says so. To be called before it is written. */
  forgoStore(): void;
  createStreamEncoder(): ResponsesStreamEncoder;
  encodeResponse(result: Parameters<DecodedRequest['encodeResponse']>[0]): ResponseObject;
}

/**
 * Checks a request (contract 2.3). Wrong types, and features whose silent omission would falsify the answer, throw with their path;
 * everything else without effect is named in the warnings of the decoded request.
 */
export function readResponseRequest(body: unknown): AskedResponse {
  const wire = parseBody(requestSchema, body);
  refuseWhatCannotBeGiven(wire);
  const input = inputItems(wire.input).map((item, index) => parsePart(itemSchema, item, `input[${index}]`));
  return {
    store: wire.store ?? true,
    background: wire.background ?? false,
    previousResponseId: wire.previous_response_id,
    referencedItemIds: input.filter((item) => kindOfItem(item) === 'item_reference').map(({ id }) => id ?? ''),
    decode: (context, found) => decodeResponseRequest(wire, input, context, found),
  };
}

function decodeResponseRequest(
  wire: WireRequest,
  input: readonly WireItem[],
  context: ClientCodecContext,
  found: FoundItems,
): DecodedResponseRequest {
  const conversation = findConversation(wire, input, found);
  const ignored = createIgnoredFields();
  nameIgnoredFields(wire, ignored);
  const declared = decodeTools(listTools(wire, conversation), ignored);
  const request: TurnRequest = {
    model: wire.model?.trim() ?? '',
    messages: [
      ...(wire.instructions ? [{ role: 'system' as const, text: wire.instructions }] : []),
      ...decodeMessages(conversation, { names: declared.names, unseal: context.unseal, ignored }),
    ],
    reasoning: decodeReasoning(wire, ignored),
    webSearch: declared.webSearch,
    tools: declared.tools,
    toolChoice: decodeToolChoice(wire.tool_choice, declared),
    parallelToolCalls: wire.parallel_tool_calls ?? true,
    responseFormat: decodeResponseFormat(wire, ignored),
    ...(wire.truncation === 'auto' && { dropsMiddle: true }),
    sampling: {
      temperature: wire.temperature,
      topP: wire.top_p,
      maxOutputTokens: wire.max_output_tokens,
      stop: [],
    },
  };
  if (request.messages.length === 0) {
    throw wire.input === undefined ? missingParameter('input') : invalidValue('input', 'it holds nothing to answer.');
  }
  const answer = createAnswer(echoOf(wire), declared.names, context, {
    isStored: wire.store ?? true,
    sealsThoughts: wire.include?.includes(SEALED_THOUGHTS) ?? false,
  });
  return {
    request,
    stream: wire.stream ?? false,
    warnings: ignored.warnings(),
    store: wire.store ?? true,
    background: wire.background ?? false,
    conversation:
      wire.store === false
        ? []
        : [
            ...(found.previous ? [...found.previous.input, ...found.previous.output] : []),
            ...storeItems(conversation.input, answer.id, conversation.history.length),
          ],
    ...answer,
  };
}

/** In a scope of its own: what is kept while the answer runs must not keep the input with its pictures. */
function createAnswer(
  asked: EchoedRequest,
  names: ResponsesForm['names'],
  context: ClientCodecContext,
  { isStored, sealsThoughts }: { readonly isStored: boolean; readonly sealsThoughts: boolean },
): Pick<DecodedResponseRequest, 'id' | 'forgoStore' | 'createStreamEncoder' | 'encodeResponse'> {
  const id = createResponseId(context.newId());
  const createdAtMs = context.now();
  let keeps = isStored;
  const form: ResponsesForm = {
    identity: () => ({ id, createdAtMs, asked, isStored: keeps }),
    names,
    seal: sealsThoughts ? context.seal : undefined,
    now: context.now,
  };
  return {
    id,
    forgoStore() {
      keeps = false;
    },
    createStreamEncoder: () => createResponsesStreamEncoder(form),
    encodeResponse: (result) => encodeResponse(result, form),
  };
}

function findConversation(wire: WireRequest, input: readonly WireItem[], found: FoundItems): WireConversation {
  const { previous, items } = found;
  if (wire.previous_response_id !== undefined && !previous) throw previousResponseNotFound(wire.previous_response_id);
  return {
    history: previous ? [...previous.input, ...previous.output] : [],
    input: input.map((item) => {
      if (kindOfItem(item) !== 'item_reference') return item;
      const referenced = items.get(item.id ?? '');
      if (!referenced) throw itemNotFound(item.id ?? '');
      return referenced;
    }),
  };
}

function listTools(wire: WireRequest, { history, input }: WireConversation): ToolList[] {
  const additional = [...history, ...input].flatMap((item, index) => {
    if (kindOfItem(item) !== 'additional_tools') return [];
    const path = `input[${index - history.length}]`;
    return [{ path: `${path}.tools`, tools: parsePart(additionalToolsSchema, item, path).tools, isUnique: false }];
  });
  return [{ path: 'tools', tools: wire.tools ?? [], isUnique: true }, ...additional];
}

/** Without the input, for it lives as long as the answer. */
function echoOf(wire: WireRequest): EchoedRequest {
  return {
    model: wire.model,
    instructions: wire.instructions,
    max_output_tokens: wire.max_output_tokens,
    temperature: wire.temperature,
    top_p: wire.top_p,
    reasoning: wire.reasoning,
    text: wire.text,
    tools: wire.tools,
    tool_choice: wire.tool_choice,
    parallel_tool_calls: wire.parallel_tool_calls,
    max_tool_calls: wire.max_tool_calls,
    previous_response_id: wire.previous_response_id,
    background: wire.background,
    truncation: wire.truncation,
    metadata: wire.metadata,
    safety_identifier: wire.safety_identifier,
    prompt_cache_key: wire.prompt_cache_key,
    user: wire.user,
  };
}

function refuseWhatCannotBeGiven(wire: WireRequest): void {
  if (wire.prompt !== undefined) throw unsupportedParameter('prompt');
  if (wire.conversation !== undefined) throw unsupportedParameter('conversation');
  if (wire.top_logprobs) throw unsupportedParameter('top_logprobs');
  if (wire.background && wire.store === false) {
    throw invalidValue('background', "a response in the background must be kept: 'store' must not be false.");
  }
}

function nameIgnoredFields(wire: WireRequest, ignored: IgnoredFields): void {
  if (wire.stream_options) ignored.addUnknown(wire.stream_options, streamOptionsSchema.shape, 'stream_options.');
  for (const value of wire.include ?? []) if (value !== SEALED_THOUGHTS) ignored.add('include');
  ignored.addUnknown(wire, requestSchema.shape);
}
