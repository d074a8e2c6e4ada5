import { isRecord } from '../../is-record.ts';
import { createJsonScanner, type JsonScanner } from '../../stages/tool-json-scanner.ts';

/** Where calls go: one at a time. */
export interface CallWriter {
  startCall(callId: string, name: string): void;
  argumentsText(text: string): void;
  endCall(): void;
}

/** The calls of one answer, as its `tool_calls` deltas tell them (protocol 10.3). */
export interface NativeCalls {
  take(toolCalls: unknown): void;
  /** The answer is over, or something else follows. */
  end(): void;
  /** True once a call was told. */
  readonly any: boolean;
  /** True while a call may go on. */
  readonly running: boolean;
  /** True while a call lacks a part of its arguments: what comes now comes in the middle of it. */
  readonly unfinished: boolean;
}

interface Call {
  /** By what further pieces name it; undefined where they do not. */
  readonly index: number | undefined;
  readonly id: string | undefined;
  readonly name: string;
  argumentsText: string;
  /** Has read the arguments so far: none of them is read again when more come. */
  readonly scanner: JsonScanner;
}

/**
 * Reads the deltas of calls. Arguments may come as text in pieces or as an object (protocol 10.3). The stream we write has one call open at a
 * time: a call waits until the one before it is whole, as pieces of several calls may come mixed.
 */
export function createNativeCalls(writer: CallWriter): NativeCalls {
  const waiting: Call[] = [];
  let open: Call | undefined;
  let last: Call | undefined;
  let any = false;

  function begin(call: Call): void {
    last = call;
    any = true;
    if (open && !isComplete(open)) waiting.push(call);
    else openCall(call);
  }

  function openCall(call: Call): void {
    if (open) writer.endCall();
    open = call;
    writer.startCall(call.id ?? '', call.name);
    writer.argumentsText(call.argumentsText);
  }

  function grow(call: Call, text: string): void {
    call.argumentsText += text;
    call.scanner.push(text);
    if (call !== open) return;
    writer.argumentsText(text);
    for (let next = waiting[0]; next && isComplete(open); next = waiting[0]) {
      waiting.shift();
      openCall(next);
    }
  }

  function takeEntry(entry: unknown): void {
    if (!isRecord(entry)) return;
    const details = isRecord(entry['function']) ? entry['function'] : entry;
    const text = argumentsOf(details['arguments']);
    const id = textOf(entry['id']);
    const index = typeof entry['index'] === 'number' ? entry['index'] : undefined;
    const name = textOf(details['name']);
    const known = findCall(index, id, name);
    if (known) grow(known, text);
    else if (name !== undefined) {
      const scanner = createJsonScanner('object');
      scanner.push(text);
      begin({ index, id, name, argumentsText: text, scanner });
    }
  }

  /** The call that a piece goes on with. A name alone begins a new one; some repeat it with every piece. */
  function findCall(index: number | undefined, id: string | undefined, name: string | undefined): Call | undefined {
    const calls = [...waiting, ...(open ? [open] : [])];
    if (id !== undefined) return calls.find((call) => isSame(call, index, id, name)) ?? byIndex(calls, index, name);
    if (index !== undefined) return calls.find((call) => call.index === index);
    return name === undefined ? last : undefined;
  }

  return {
    take(toolCalls) {
      if (Array.isArray(toolCalls)) for (const entry of toolCalls) takeEntry(entry);
    },
    end() {
      for (const call of waiting.splice(0)) openCall(call);
      if (open) writer.endCall();
      open = undefined;
      last = undefined;
    },
    get any() {
      return any;
    },
    get running() {
      return open !== undefined;
    },
    get unfinished() {
      return open !== undefined && !isComplete(open);
    },
  };
}

/** A whole beginning at another index is another call, whatever its id. */
const isSame = (call: Call, index: number | undefined, id: string, name: string | undefined): boolean =>
  call.id === id && (call.index === index || name === undefined || call.index === undefined || index === undefined);

/** A piece without a name whose id is not the one that its call began with. */
const byIndex = (calls: readonly Call[], index: number | undefined, name: string | undefined): Call | undefined =>
  name === undefined && index !== undefined ? calls.find((call) => call.index === index) : undefined;

const isComplete = ({ scanner }: Call): boolean => scanner.state === 'complete';

const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

function argumentsOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return isRecord(value) ? JSON.stringify(value) : '';
}
