import type { ToolDefinition } from '@zai2api/turn';
import type { WrittenCall } from './tool-call-list.ts';
import { createToolParser, type ToolParser } from './tool-parser.ts';
import type { ToolSink } from './tool-sink.ts';

/** The thinking text without markup, and the calls that stood in it. */
export interface ThoughtCalls {
  push(text: string): void;
  /** A thought is over; a call that is not complete by now is none. */
  end(): void;
  /** The complete calls of the last block: used when the answer itself has nothing (protocol 6). */
  readonly calls: readonly WrittenCall[];
}

/** The tools that calls in thoughts may name, and those among them that may be called; `reasoning` hears all other text. */
export interface ThoughtCallsOptions {
  readonly tools: ReadonlyMap<string, ToolDefinition>;
  readonly allowed: ReadonlyMap<string, ToolDefinition>;
  readonly reasoning: (text: string) => void;
}

/** Follows the thinking of one answer. */
export function createThoughtCalls({ tools, allowed, reasoning }: ThoughtCallsOptions): ThoughtCalls {
  let calls: WrittenCall[] = [];
  let name: string | undefined;
  let parser: ToolParser | undefined;
  let isEnding = false;

  const sink: ToolSink = {
    text: reasoning,
    markup(kind) {
      if (kind === 'open') calls = [];
    },
    begin(begun) {
      name = allowed.has(begun) ? begun : undefined;
      return name !== undefined;
    },
    grow: () => undefined,
    finish(argumentsText, repaired) {
      if (!isEnding && !repaired && name !== undefined && argumentsText !== undefined)
        calls.push({ name, argumentsText });
    },
    unreadable: () => undefined,
  };

  return {
    push(text) {
      parser ??= createToolParser({ sink, tools, tagsOnly: true });
      parser.push(text);
    },
    end() {
      isEnding = true;
      parser?.end(true);
      parser = undefined;
      isEnding = false;
    },
    get calls() {
      return calls;
    },
  };
}
