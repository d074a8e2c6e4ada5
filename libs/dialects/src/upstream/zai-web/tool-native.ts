import { isRecord } from '../../is-record.ts';
import { readWrittenCalls, type WrittenCall } from '../../stages/tool-call-list.ts';
import { tryParseJson } from '../../try-parse-json.ts';

/** Where native calls go. A call stays open until the next thing is written. */
export interface CallWriter {
  startCall(callId: string, name: string): void;
  /** Ignored when no call is open. */
  argumentsText(text: string): void;
}

/** The calls that the upstream makes in frames and blocks of its own instead of in text (protocol 5.2, 5.6). */
export interface NativeCalls {
  takeFrame(data: Record<string, unknown>): void;
  /** The content of a `<glm_block>`. Blocks are met again whenever the document is read anew. */
  takeBlock(content: string): void;
}

/**
 * Reads the native calls of one answer. Only the client's own tools are looked at: all others are the site's, which runs them itself
 * (protocol 5.6). The same call is never told twice.
 */
export function createNativeCalls(tools: ReadonlySet<string>, writer: CallWriter): NativeCalls {
  const told = new Set<string>();
  /** The call that further pieces of arguments belong to. */
  let current: { readonly id: string | undefined; readonly isTold: boolean } | undefined;

  function begin(name: string, id: string | undefined, key: string | undefined): void {
    const isTold = tools.has(name) && (key === undefined || !told.has(key));
    if (key !== undefined) told.add(key);
    current = { id, isTold };
    if (isTold) writer.startCall(id ?? '', name);
  }

  function grow(id: string | undefined, argumentsText: string): void {
    if (current?.isTold && (id === undefined || id === current.id)) writer.argumentsText(argumentsText);
  }

  function tell({ name, argumentsText, id }: WrittenCall): void {
    const key = id === undefined ? `call ${name} ${argumentsText}` : `id ${id}`;
    begin(name, id, key);
    grow(id, argumentsText);
    // The call is whole: what comes later with its id is a repetition.
    current = undefined;
  }

  function takeDelta(data: Record<string, unknown>): void {
    const { delta_name: name, delta_arguments: given, metadata } = data;
    const id = isRecord(metadata) ? textOf(metadata['tool_call_id']) : undefined;
    const isSame = current !== undefined && id !== undefined && current.id === id;
    if (typeof name === 'string' && name !== '' && !isSame) begin(name, id, id === undefined ? undefined : `id ${id}`);
    if (typeof given === 'string') grow(id, given);
  }

  function takeEntry(entry: unknown): void {
    if (!isRecord(entry)) return;
    const inner = isRecord(entry['function']) ? entry['function'] : entry;
    // A further piece of a call that an earlier chunk began has no name.
    if (textOf(inner['name']) === undefined) {
      if (typeof inner['arguments'] === 'string') grow(undefined, inner['arguments']);
      return;
    }
    const [call] = readWrittenCalls(entry);
    if (!call) return;
    if (call.argumentsText !== '' && tryParseJson(call.argumentsText) !== undefined) tell(call);
    else {
      begin(call.name, call.id, call.id === undefined ? undefined : `id ${call.id}`);
      grow(call.id, call.argumentsText);
    }
  }

  return {
    takeFrame(data) {
      if ('delta_name' in data || 'delta_arguments' in data) takeDelta(data);
      if (Array.isArray(data['tool_calls'])) for (const entry of data['tool_calls']) takeEntry(entry);
      if (!Array.isArray(data['content_blocks'])) return;
      for (const block of data['content_blocks'] as unknown[]) {
        if (!isRecord(block) || block['type'] !== 'tool_calls' || !Array.isArray(block['content'])) continue;
        for (const entry of block['content']) takeEntry(entry);
      }
    },
    takeBlock(content) {
      const value = tryParseJson(content);
      if (!isRecord(value) || isServerSide(value)) return;
      for (const call of readWrittenCalls(metadataOf(value) ?? value)) tell(call);
    },
  };
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

function metadataOf(value: Record<string, unknown>): Record<string, unknown> | undefined {
  const data = value['data'];
  return isRecord(data) && isRecord(data['metadata']) ? data['metadata'] : undefined;
}

/** A tool that the site runs itself names its server (protocol 5.6). */
function isServerSide(value: Record<string, unknown>): boolean {
  const server = metadataOf(value)?.['mcp_server'];
  return value['type'] === 'mcp' || (isRecord(server) && textOf(server['name']) !== undefined);
}
