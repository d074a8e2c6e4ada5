import type { ToolDefinition } from '@zai2api/turn';
import { createCallReader, type MarkupReader } from './tool-call-reader.ts';
import { createJsonBlock } from './tool-json-block.ts';
import { readAttribute } from './tool-markup.ts';
import type { ToolSink } from './tool-sink.ts';
import {
  CALL_TAG,
  findCallsObject,
  findTag,
  isTagBeginning,
  LIST_TAG,
  MAX_OPENING_CHARACTERS,
  type Tag,
} from './tool-tags.ts';

/** Takes calls out of a text as it comes; holds back no more than what may become markup. */
export interface ToolParser {
  push(text: string): void;
  /** Decides what was held. With `cut` the answer did not reach its own end. */
  end(cut: boolean): void;
  /** True inside a call or of what may become one. */
  readonly holds: boolean;
}

/** What calls in a text are found with. */
export interface ToolParserOptions {
  readonly sink: ToolSink;
  readonly tools: ReadonlyMap<string, ToolDefinition>;
  /** Only calls between tags count, no JSON. */
  readonly tagsOnly: boolean;
}

/** Far more than a delta; an answer that comes as a whole is longer. */
const PIECE_CHARACTERS = 4_096;

const fenceOpening = /^`{3,}[A-Za-z_]{0,16}[ \t]*(?:\r?\n\s*)?/;

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
  let onDone = (): string => '';
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
    const candidates = [
      pending.indexOf('<'),
      tagsOnly ? -1 : pending.indexOf('`'),
      tagsOnly || !isBlank ? -1 : pending.indexOf('{'),
    ];
    return Math.min(...candidates.map((at) => (at < 0 ? pending.length : at)));
  }

  /** Returns the units used; 0 when more is needed. */
  function readText(): number {
    if (behindList) {
      const rest = pending.trimStart();
      if (rest === '' && pending.length <= MAX_OPENING_CHARACTERS) return 0;
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
    takeMarkup(tag.token === LIST_TAG ? 'open' : 'other');
    // Behind its calls the model sometimes makes up their results, and an answer from those.
    if (isResult) muted = true;
    behindList = tag.token === LIST_TAG;
    if (tag.token === CALL_TAG) beginCall(tag);
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
      if (tag?.token === CALL_TAG || tag?.token === LIST_TAG) {
        closesFence = true;
        takeMarkup('other');
        return opening.length;
      }
      const verdict = findCallsObject(rest);
      if (verdict === 'wait') return 0;
      if (verdict === 'yes') return beginJson('fence', opening);
    }
    inFence = true;
    emit(pending.slice(0, run));
    return run;
  }

  function readBareJson(): number {
    const verdict = findCallsObject(pending);
    if (verdict === 'wait') return 0;
    if (verdict === 'yes') return beginJson('answer', '');
    emit('{');
    return 1;
  }

  function beginJson(place: 'fence' | 'answer', opening: string): number {
    const block = createJsonBlock({ sink, tools, place });
    reader = block;
    // What is no block of calls is text, in which further markup may stand.
    onDone = () => {
      if (block.rejected === undefined) return '';
      inFence = place === 'fence';
      emit(opening + block.rejected.slice(0, 1));
      return block.rejected.slice(1);
    };
    return opening.length;
  }

  /** The text that the finished reader gives back. */
  function leaveReader(): string {
    const back = onDone();
    reader = undefined;
    onDone = () => '';
    return back;
  }

  function drain(): void {
    let text = pending;
    while (text !== '' && !muted) {
      pending = text;
      const before = reader;
      const used = before ? before.read(text) : readText();
      text = text.slice(used);
      if (before?.done) text = leaveReader() + text;
      else if (used === 0 && reader === before) break;
    }
    pending = muted ? '' : text;
  }

  return {
    push(text) {
      if (muted) return;
      // In small pieces: what may begin markup is looked for in all that is pending.
      for (let at = 0; at < text.length; at += PIECE_CHARACTERS) {
        pending += text.slice(at, at + PIECE_CHARACTERS);
        drain();
      }
    },
    end(cut) {
      if (muted) return;
      while (reader) {
        reader.end(pending, cut);
        pending = leaveReader();
        drain();
      }
      if (isTagBeginning(pending)) takeMarkup('other');
      else if (!behindList) emit(pending);
      pending = '';
    },
    get holds() {
      return reader !== undefined || pending !== '';
    },
  };
}
