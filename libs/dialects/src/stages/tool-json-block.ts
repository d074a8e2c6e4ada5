import type { ToolDefinition } from '@zai2api/turn';
import { createToolBody } from './tool-body.ts';
import { parseWrittenCalls } from './tool-call-list.ts';
import type { MarkupReader } from './tool-call-reader.ts';
import type { ToolSink } from './tool-sink.ts';

/** What a block of JSON calls is read with, and where it stands. */
export interface JsonBlockOptions {
  readonly sink: ToolSink;
  readonly tools: ReadonlyMap<string, ToolDefinition>;
  readonly place: 'fence' | 'answer';
}

/** Reads one block that may hold calls. */
export interface JsonBlock extends MarkupReader {
  /** Once `done`: everything that was read, when it is no block of calls. */
  readonly rejected: string | undefined;
}

const fence = '```';

/**
 * `{"tool_calls":[…]}` in a fence of its own, or as the beginning of the answer. It counts only when nothing else stands in the fence and
 * one of the client's tools is named; otherwise it is text like any other.
 */
export function createJsonBlock({ sink, tools, place }: JsonBlockOptions): JsonBlock {
  const body = createToolBody({ root: 'object', cdata: false, place });
  let state: 'body' | 'tail' | 'done' = 'body';
  let raw = '';
  let rejected: string | undefined;

  function finish(isFenced: boolean, cut: boolean): void {
    const result = body.result(cut);
    const calls = result ? parseWrittenCalls(result.text) : [];
    if (!calls.some(({ name }) => tools.has(name))) {
      rejected = raw;
      state = 'done';
      return;
    }
    sink.markup('open');
    for (const call of calls) if (sink.begin(call.name)) sink.finish(call.argumentsText, result?.repaired ?? true);
    state = isFenced ? 'tail' : 'done';
  }

  /** The fence's own end. */
  function readTail(text: string): number {
    const rest = text.trimStart();
    if (state !== 'tail' || rest === '' || (rest.length < fence.length && fence.startsWith(rest))) return 0;
    state = 'done';
    return rest.startsWith(fence) ? text.length - rest.length + fence.length : 0;
  }

  return {
    read(text) {
      if (state === 'tail') return readTail(text);
      const used = body.read(text);
      raw += text.slice(0, used);
      if (!body.done) return used;
      finish(place === 'fence', false);
      return used + readTail(text.slice(used));
    },
    end(rest, cut) {
      if (state === 'body') {
        raw += rest;
        body.end(rest);
        finish(false, cut);
      }
      state = 'done';
    },
    get rejected() {
      return rejected;
    },
    get done() {
      return state === 'done';
    },
  };
}
