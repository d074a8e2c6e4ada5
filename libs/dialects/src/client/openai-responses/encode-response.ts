import type { TurnResult } from '@zai2api/turn';
import { encodeUsage } from './encode-usage.ts';
import { createItemId } from './item-ids.ts';
import { citeSources, summaryPart, textPart, type ItemStatus, type OutputItem } from './output-items.ts';
import { decodeCustomInput } from '../request/custom-tool.ts';
import { describeResponse, endings, type ResponseIdentity, type ResponseObject } from './response-object.ts';
import type { ToolNames } from './tool-names.ts';

/** How the answers of one request are to be written. */
export interface ResponsesForm {
  readonly identity: () => ResponseIdentity;
  readonly names: ToolNames;
  /** Seals a thought for the client to carry; absent when it did not ask for that. */
  readonly seal?: ((text: string) => string) | undefined;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** The whole answer (contract 2.6): the same as the response that ends its stream. */
export function encodeResponse(result: TurnResult, form: ResponsesForm): ResponseObject {
  const identity = form.identity();
  const { status, incompleteReason } = endings[result.finishReason];
  const blocks = result.blocks.filter((block) => block.type === 'tool-call' || block.text !== '');
  const isCut = (index: number): boolean =>
    status === 'incomplete' && index === blocks.length - 1 && result.refusal === undefined;
  const output = blocks.map((block, index): OutputItem => {
    const itemStatus = isCut(index) ? 'incomplete' : 'completed';
    switch (block.type) {
      case 'reasoning':
        return reasoningItem(itemId('rs', identity, index), block.text, itemStatus, form);
      case 'text': {
        const isLast = index === blocks.length - 1 && result.refusal === undefined;
        const part = textPart(block.text, citeSources(result.sources, block.text, isLast));
        return {
          id: itemId('msg', identity, index),
          type: 'message',
          role: 'assistant',
          status: itemStatus,
          content: [part],
        };
      }
      default:
        return callItem(block, identity, index, form);
    }
  });
  if (result.refusal !== undefined) output.push(refusalItem(result.refusal, identity, output.length));
  return describeResponse(identity, {
    status,
    model: result.model,
    output,
    completedAtMs: form.now(),
    ...(incompleteReason && { incompleteReason }),
    usage: encodeUsage(result.usage),
  });
}

/** A thought. Its summary is all of it, for nothing here makes summaries. */
export function reasoningItem(id: string, text: string, status: ItemStatus, { seal }: ResponsesForm): OutputItem {
  return {
    id,
    type: 'reasoning',
    summary: [summaryPart(text)],
    ...(seal && { encrypted_content: seal(text) }),
    status,
  };
}

/**
 * A call in the words of the client: free text for a tool that takes it, and the namespace of one that was declared in one, without which
 * Codex does not know it.
 */
export function callItem(
  call: { readonly callId: string; readonly name: string; readonly argumentsText: string },
  identity: ResponseIdentity,
  index: number,
  { names }: ResponsesForm,
): OutputItem & { readonly type: 'function_call' | 'custom_tool_call' } {
  const { name, namespace, kind } = names.find(call.name) ?? { name: call.name, kind: 'function' };
  const named = {
    call_id: call.callId,
    name,
    ...(namespace !== undefined && { namespace }),
    status: 'completed' as const,
  };
  return kind === 'custom'
    ? {
        id: itemId('ctc', identity, index),
        type: 'custom_tool_call',
        ...named,
        input: decodeCustomInput(call.argumentsText),
      }
    : {
        id: itemId('fc', identity, index),
        type: 'function_call',
        ...named,
        arguments: call.argumentsText || '{}',
      };
}

/** What is said in place of an answer that could not be given as asked. */
export function refusalItem(refusal: string, identity: ResponseIdentity, index: number): OutputItem {
  return {
    id: itemId('msg', identity, index),
    type: 'message',
    role: 'assistant',
    status: 'completed',
    content: [{ type: 'refusal', refusal }],
  };
}

function itemId(prefix: 'msg' | 'rs' | 'fc' | 'ctc', { id }: ResponseIdentity, index: number): string {
  return createItemId(prefix, id, 'out', index);
}
