import type { ToolDefinition } from '@zai2api/turn';
import { createToolBody, type ToolBody } from './tool-body.ts';
import { parseWrittenCalls } from './tool-call-list.ts';
import { beginsWith, CALL_CLOSE, CDATA_OPEN } from './tool-markup.ts';
import { readArgumentPairs } from './tool-pairs.ts';
import type { ToolSink } from './tool-sink.ts';
import { MAX_OPENING_CHARACTERS } from './tool-tags.ts';

/** Reads on from a piece of markup; what is not used belongs to the text behind. */
export interface MarkupReader {
  /** Returns the units used; fewer than given when it is `done` or needs more to decide. */
  read(text: string): number;
  /** The answer is over; `rest` is what was not used yet. */
  end(rest: string, cut: boolean): void;
  readonly done: boolean;
}

/** What one call is read with. */
export interface CallReaderOptions {
  readonly sink: ToolSink;
  readonly tools: ReadonlyMap<string, ToolDefinition>;
  /** From the opening tag, when it says so. */
  readonly name: string | undefined;
}

/** Tags between the opening tag and the arguments. */
const openers = [CDATA_OPEN, '<arguments>', '<parameters>', '<name>', '<tool_name>'];
const fence = '```';
const fenceOpening = /^```[a-z]{0,16}/;
/** What ends a call that has no arguments. */
const closers = ['</', ']]>', ']>'];
const openPair = '<arg_key>';
const MAX_NAME_CHARACTERS = 128;
/** What is left of closing tags behind the arguments. */
const leftover = /^(?:\s|\]|>|```|<\/(?:arguments|parameters|function)>)+/;
const leftoverTags = ['</arguments>', '</parameters>', '</function>', '```', CALL_CLOSE];

/**
 * Reads one call behind its opening tag, in the form that the model was asked for or in one of those that models fall back to: a JSON
 * object with the name in it, `<name>` and `<arguments>` elements, the name as plain text with JSON or `<arg_key>` pairs behind it.
 */
export function createCallReader(options: CallReaderOptions): MarkupReader {
  const { sink, tools } = options;
  let state: 'head' | 'name' | 'body' | 'pairs' | 'tail' | 'done' = 'head';
  let name = options.name;
  let cdata = false;
  let body: ToolBody | undefined;
  let accepted = false;
  let pairs = '';

  function readHead(text: string): number {
    const rest = text.trimStart();
    if (rest === '') return text.length <= MAX_OPENING_CHARACTERS ? 0 : text.length;
    const space = text.length - rest.length;
    const opener = openers.find((each) => rest.startsWith(each));
    if (opener !== undefined) {
      if (opener === CDATA_OPEN) cdata = true;
      if (opener.endsWith('name>')) state = 'name';
      return space + opener.length;
    }
    if (beginsWith(rest, [...openers, ...closers, openPair, fence]) === 'wait') return 0;
    const opening = fenceOpening.exec(rest)?.[0];
    if (opening !== undefined) return opening === rest ? 0 : space + opening.length;
    if (/^[[{]/.test(rest) || (name !== undefined && rest.startsWith('"'))) beginBody();
    else if (name === undefined) return readPlainName(rest, space);
    else if (rest.startsWith(openPair)) state = 'pairs';
    else if (beginsWith(rest, closers) === 'yes') finishEmpty();
    // A name that nobody declared and nothing that looks like arguments: this only speaks of calls.
    else if (tools.has(name)) beginBody();
    else {
      state = 'done';
      return 0;
    }
    return space;
  }

  /** `get_weather` and then JSON, pairs or the end of the call. Anything else is no call. */
  function readPlainName(rest: string, space: number): number {
    const [whole, plain = ''] = /^([A-Za-z0-9_.-]+)\s*/.exec(rest) ?? [''];
    const behind = rest.slice(whole.length);
    if (plain !== '' && behind === '' && whole.length <= MAX_NAME_CHARACTERS) return 0;
    const verdict = plain === '' || behind === '' ? 'no' : beginsWith(behind, [openPair, CALL_CLOSE, '{', CDATA_OPEN]);
    if (verdict === 'wait') return 0;
    if (verdict === 'yes') {
      name = plain;
      return space + whole.length;
    }
    state = 'done';
    return 0;
  }

  function readName(text: string): number {
    const end = text.indexOf('<');
    if (end < 0) {
      if (text.length > MAX_NAME_CHARACTERS) state = 'done';
      return 0;
    }
    const close = text.indexOf('>', end);
    if (close < 0 && text.length <= 2 * MAX_NAME_CHARACTERS) return 0;
    name = text.slice(0, end).trim();
    state = 'head';
    return close < 0 ? end : close + 1;
  }

  function beginBody(): void {
    state = 'body';
    body = createToolBody({ root: name === undefined ? 'any' : 'object', cdata, place: 'tag' });
    if (name !== undefined) accepted = sink.begin(name);
  }

  function finishEmpty(): void {
    state = 'tail';
    if (name !== undefined && sink.begin(name)) sink.finish('{}', false);
  }

  function readBody(text: string): number {
    if (!body) return 0;
    const used = body.read(text);
    if (accepted) sink.grow(body.takeSure());
    if (body.done) finishBody(body, false);
    return used;
  }

  function finishBody(finished: ToolBody, cut: boolean): void {
    state = 'tail';
    const result = finished.result(cut);
    if (name !== undefined) {
      if (accepted) sink.finish(result?.text, result?.repaired ?? true);
      return;
    }
    const calls = result ? parseWrittenCalls(result.text) : [];
    if (calls.length === 0) sink.unreadable();
    for (const call of calls) if (sink.begin(call.name)) sink.finish(call.argumentsText, result?.repaired ?? true);
  }

  function readPairs(text: string): number {
    const end = text.indexOf(CALL_CLOSE);
    const used = end < 0 ? Math.max(0, text.length - CALL_CLOSE.length) : end;
    pairs += text.slice(0, used);
    if (end >= 0) finishPairs();
    return used;
  }

  function finishPairs(): void {
    state = 'tail';
    if (name !== undefined && sink.begin(name)) sink.finish(readArgumentPairs(pairs, tools.get(name)), false);
  }

  function readTail(text: string): number {
    const space = leftover.exec(text)?.[0].length ?? 0;
    const rest = text.slice(space);
    if (rest.startsWith(CALL_CLOSE)) {
      state = 'done';
      return space + CALL_CLOSE.length;
    }
    if (rest !== '' && beginsWith(rest, leftoverTags) !== 'wait') state = 'done';
    return space;
  }

  const readers = { head: readHead, name: readName, body: readBody, pairs: readPairs, tail: readTail, done: () => 0 };

  return {
    read(text) {
      let used = 0;
      for (;;) {
        const before = state;
        const count = readers[state](text.slice(used));
        used += count;
        if (count === 0 && state === before) return used;
      }
    },
    end(rest, cut) {
      if (state === 'body' && body) {
        body.end(rest);
        finishBody(body, cut);
      } else if (state === 'pairs') {
        pairs += rest;
        // The last value may lack its end.
        if (!cut && pairs.trimEnd().endsWith('</arg_value>')) finishPairs();
        else if (name !== undefined && sink.begin(name)) sink.finish(undefined, true);
      } else if (state === 'head' || state === 'name') {
        if (name !== undefined && sink.begin(name)) sink.finish(undefined, true);
        else sink.unreadable();
      }
      state = 'done';
    },
    get done() {
      return state === 'done';
    },
  };
}
