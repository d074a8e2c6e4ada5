import type { ToolDefinition } from '@zai2api/turn';
import { createCallReader, type MarkupReader } from './tool-call-reader.ts';
import { createJsonBlock } from './tool-json-block.ts';
import { readAttribute } from './tool-markup.ts';
import type { ToolSink } from './tool-sink.ts';

/** Takes calls out of a text as it comes; holds back no more than what may become markup. */
export interface ToolParser {
  push(text: string): void;
  /** Decides what was held. With `cut` the answer did not reach its own end. */
  end(cut: boolean): void;
  /** True inside a call or of what may become one. */
  readonly holds: boolean;
}

export interface ToolParserOptions {
  readonly sink: ToolSink;
  readonly tools: ReadonlyMap<string, ToolDefinition>;
  /** Only calls between tags count, no JSON. */
  readonly tagsOnly: boolean;
}

type Tag = { readonly token: string; readonly attributes: string; readonly length: number };

const callTag = '<tool_call';
const listTag = '<tool_calls';
const resultTags = ['<tool_result', '<tool_results'];
const tokens = [callTag, listTag, ...resultTags, '</tool_call', '</tool_calls', '</tool_result', '</tool_results'];
/** A tag longer than this is taken for text: nothing is held back for ever. */
const MAX_TAG_CHARACTERS = 512;
/** A beginning of a tag that is this long is nothing else, even when the answer ends there. */
const unfinishedTag = /^<\/?tool_/;
const fenceOpening = /^`{3,}[A-Za-z_]{0,16}[ \t]*(?:\r?\n\s*)?/;
const MAX_OPENING_CHARACTERS = 256;
const jsonOpening = /^\{\s*"tool_calls"/;
const jsonMarker = '"tool_calls"';

/** A parser for one text. */
export function createToolParser({ sink: listener, tools, tagsOnly }: ToolParserOptions): ToolParser {
  let pending = '';
  let reader: MarkupReader | undefined;
  let last = '';
  let isBlank = true;
  let inFence = false;
  /** The fence round a block of tags goes with it. */
  let closesFence = false;
  let behindList = false;
  let hasCalls = false;
  let muted = false;
  const sink: ToolSink = {
    ...listener,
    begin(name) {
      hasCalls = true;
      return listener.begin(name);
    },
  };

  function emit(text: string): void {
    if (text === '') return;
    last = text.slice(-1);
    if (text.trim() !== '') {
      isBlank = false;
      closesFence = false;
    }
    sink.text(text);
  }

  function takeMarkup(kind: 'open' | 'other'): void {
    last = '';
    sink.markup(kind);
  }

  const atLineStart = (): boolean => last === '' || last === '\n';

  function nextCandidate(): number {
    const candidates = [pending.indexOf('<'), tagsOnly ? -1 : pending.indexOf('`'), tagsOnly || !isBlank ? -1 : pending.indexOf('{')];
    return Math.min(...candidates.map((at) => (at < 0 ? pending.length : at)));
  }

  /** Returns the units used; 0 when more is needed. */
  function readText(): number {
    if (behindList) {
      const rest = pending.trimStart();
      if (rest === '') return 0;
      behindList = false;
      if (/^[[{]/.test(rest)) {
        reader = createCallReader({ sink, tools, name: undefined });
        return pending.length - rest.length;
      }
    }
    const at = nextCandidate();
    if (at > 0) {
      emit(pending.slice(0, at));
      return at;
    }
    if (pending.startsWith('<')) return readTag();
    return pending.startsWith('`') ? readFence() : readBareJson();
  }

  function readTag(): number {
    const tag = findTag(pending);
    if (tag === 'wait') return 0;
    if (tag === undefined) {
      emit('<');
      return 1;
    }
    const behind = pending.charAt(tag.length);
    // A tag in back quotes is spoken about, not used.
    if (last === '`' && behind === '') return 0;
    const isResult = tag.token.includes('_result');
    if ((last === '`' && behind === '`') || (isResult && !hasCalls)) {
      emit(pending.slice(0, tag.length));
      return tag.length;
    }
    takeMarkup(tag.token === listTag ? 'open' : 'other');
    // Behind its calls the model sometimes makes up their results, and an answer from those.
    if (isResult) muted = true;
    behindList = tag.token === listTag;
    if (tag.token === callTag) beginCall(tag);
    return tag.length;
  }

  function beginCall({ attributes }: Tag): void {
    const name = readAttribute(attributes, 'name');
    if (!attributes.trimEnd().endsWith('/')) reader = createCallReader({ sink, tools, name });
    else if (name !== undefined && sink.begin(name)) sink.finish('{}', false);
  }

  function readFence(): number {
    const run = /^`+/.exec(pending)?.[0].length ?? 1;
    if (!atLineStart()) {
      emit(pending.slice(0, run));
      return run;
    }
    if (run < 3) {
      if (run === pending.length) return 0;
      emit(pending.slice(0, run));
      return run;
    }
    if (inFence || closesFence) {
      if (closesFence) takeMarkup('other');
      else emit(pending.slice(0, run));
      inFence = false;
      closesFence = false;
      return run;
    }
    const opening = fenceOpening.exec(pending)?.[0] ?? '';
    const rest = pending.slice(opening.length);
    if (rest === '' && opening.length <= MAX_OPENING_CHARACTERS) return 0;
    if (opening.includes('\n')) {
      const tag = findTag(rest);
      if (tag === 'wait') return 0;
      if (tag?.token === callTag || tag?.token === listTag) {
        closesFence = true;
        takeMarkup('other');
        return opening.length;
      }
      const verdict = findJson(rest);
      if (verdict === 'wait') return 0;
      if (verdict === 'yes') return beginJson('fence', opening);
    }
    inFence = true;
    emit(pending.slice(0, run));
    return run;
  }

  function readBareJson(): number {
    const verdict = findJson(pending);
    if (verdict === 'wait') return 0;
    if (verdict === 'yes') return beginJson('answer', '');
    emit('{');
    return 1;
  }

  function beginJson(place: 'fence' | 'answer', opening: string): number {
    const raw: ToolSink = { ...sink, text: emit };
    reader = createJsonBlock({ sink: raw, tools, place, opening });
    return opening.length;
  }

  function drain(): void {
    let text = pending;
    while (text !== '' && !muted) {
      pending = text;
      const before = reader;
      const used = before ? before.read(text) : readText();
      if (before?.done) reader = undefined;
      if (used === 0 && reader === before) break;
      text = text.slice(used);
    }
    pending = muted ? '' : text;
  }

  return {
    push(text) {
      if (muted) return;
      pending += text;
      drain();
    },
    end(cut) {
      if (muted) return;
      if (reader) {
        const ended = reader;
        reader = undefined;
        ended.end(pending, cut);
      } else if (unfinishedTag.test(pending)) {
        takeMarkup('other');
      } else if (!behindList) {
        emit(pending);
      }
      pending = '';
    },
    get holds() {
      return reader !== undefined || pending !== '';
    },
  };
}

function findTag(text: string): Tag | 'wait' | undefined {
  const token = /^<\/?[a-z_]*/.exec(text.slice(0, 24))?.[0];
  if (token === undefined) return text === '' ? 'wait' : undefined;
  if (token === text) return tokens.some((each) => each.startsWith(token)) ? 'wait' : undefined;
  if (!tokens.includes(token) || !/[\s>/]/.test(text.charAt(token.length))) return undefined;
  const close = text.indexOf('>');
  if (close >= MAX_TAG_CHARACTERS || (close < 0 && text.length >= MAX_TAG_CHARACTERS)) return undefined;
  return close < 0 ? 'wait' : { token, attributes: text.slice(token.length, close), length: close + 1 };
}

function findJson(text: string): 'yes' | 'wait' | 'no' {
  if (jsonOpening.test(text)) return 'yes';
  const rest = text.slice(1).trimStart();
  return text.startsWith('{') && jsonMarker.startsWith(rest) && text.length <= MAX_OPENING_CHARACTERS ? 'wait' : 'no';
}
