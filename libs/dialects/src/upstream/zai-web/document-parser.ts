import type { Phase } from './answer-document.ts';

/** What a client may see of the document. */
export interface DocumentReader {
  reasoning(text: string): void;
  text(text: string): void;
  /** A thinking block is over; `summary` is its own line, such as `Thought for 2 seconds`. */
  endReasoning(summary: string | undefined): void;
}

/** Reads the document as it grows and holds back what cannot be decided yet: at most one tag, or the line breaks at the end of a thought. */
export interface DocumentParser {
  push(text: string, phase: Phase): void;
  /** Nothing more will come: what was held is decided. */
  end(): void;
}

/**
 * `outside`: answer text. `head`: behind the opening tag of a thinking block. `thought`: its lines. `plain-thought`: thinking
 * without the block around it. `block`: a server-side tool's block, which no client sees (protocol 5.6).
 */
type State = 'outside' | 'head' | 'summary' | 'thought' | 'plain-thought' | 'block';

/** Phases whose text outside of blocks is the upstream's own business (protocol 5.2, 5.6). */
const hiddenPhases = new Set(['tool_call', 'tool_response', 'search', 'planning']);

const closeThought = '</details>';
const openBlock = '<glm_block';
const closeBlock = '</glm_block>';
const openThought = '<details';
/** Markup that older builds leave behind in and after the thinking text (protocol 5.5). */
const remnants = ['</thinking>', '<Full>', '</Full>'];
/** An opening tag longer than this is taken for text: nothing is held back for ever. */
const MAX_TAG_CHARACTERS = 512;
/** More than the words before a tool's block ever are: the rest of such text is not for clients. */
const MAX_TOOL_TEXT_CHARACTERS = 64 * 1024;

/** A parser for one document from its start. `onToolBlock` is given the content of every tool block. */
export function createDocumentParser(reader: DocumentReader, onToolBlock?: (content: string) => void): DocumentParser {
  let blockContent = '';
  /** Text of a tool frame, which is shown when it turns out to stand before a tool's block. */
  let toolText = '';
  let state: State = 'outside';
  let stateBehindBlock: State = 'outside';
  let pending = '';
  let phase: Phase;
  let lineStart = false;
  let lineBreaks = '';
  let thoughtBegun = false;
  let summary: string | undefined;
  /** True between a thinking block and the first character of what follows: there, line breaks and remnants are not part of the answer. */
  let leading = false;

  const thinking = (): boolean => state === 'head' || state === 'summary' || state === 'thought';

  function emitText(text: string): void {
    if (text === '') return;
    if (hiddenPhases.has(phase ?? '')) {
      if (phase === 'tool_call' && toolText.length < MAX_TOOL_TEXT_CHARACTERS) toolText += text;
      return;
    }
    showText(text);
  }

  function showText(text: string): void {
    const shown = leading ? text.replace(/^[\r\n]+/, '') : text;
    if (shown === '') return;
    leading = false;
    reader.text(shown);
  }

  function emitThought(text: string): void {
    if (text === '') return;
    reader.reasoning(thoughtBegun ? lineBreaks + text : text);
    lineBreaks = '';
    thoughtBegun = true;
  }

  function beginThought(next: 'head' | 'plain-thought'): void {
    state = next;
    lineStart = true;
    lineBreaks = '';
    thoughtBegun = false;
    summary = undefined;
  }

  function closeThinking(): void {
    state = 'outside';
    lineBreaks = '';
    leading = true;
    reader.endReasoning(summary);
  }

  /** The tag at the start of `rest`: its name and length, `wait` when more is needed to tell, undefined when it is none of ours. */
  function readTag(rest: string): { name: string; length: number } | 'wait' | undefined {
    const inThought = state === 'thought' || state === 'plain-thought';
    const fixed = inThought || leading ? [closeThought, ...remnants] : [];
    for (const name of fixed) {
      if (rest.startsWith(name)) return { name, length: name.length };
      if (name.startsWith(rest)) return 'wait';
    }
    for (const name of [openThought, openBlock]) {
      if (name.startsWith(rest)) return 'wait';
      if (!rest.startsWith(name)) continue;
      const close = rest.indexOf('>');
      if (close < 0) return rest.length < MAX_TAG_CHARACTERS ? 'wait' : undefined;
      if (close >= MAX_TAG_CHARACTERS || !/[\s>]/.test(rest.charAt(name.length))) return undefined;
      // A <details> of the answer itself (HTML in Markdown) has no such type and stays text.
      if (name === openThought && !rest.slice(0, close).includes('type="reasoning"')) return undefined;
      return { name, length: close + 1 };
    }
    return undefined;
  }

  function takeTag(name: string): void {
    if (name === openBlock) {
      // A tool frame may begin with the last words of the answer; what begins like JSON is the tool's own (protocol 5.6).
      const words = toolText.trimEnd();
      toolText = '';
      if (words !== '' && !/^\s*[[{]/.test(words)) showText(words);
      stateBehindBlock = state;
      state = 'block';
      blockContent = '';
    } else if (name === openThought) {
      beginThought('head');
    } else if (name === closeThought && state !== 'outside') {
      closeThinking();
    }
  }

  /** Answer text and thoughts up to the next tag. Returns the number of characters used; fewer than given means: wait for more. */
  function readFlow(text: string): number {
    const thought = state !== 'outside';
    let from = 0;
    if (thought && lineStart) {
      if (text === '>') return 0;
      if (text.startsWith('> ')) from = 2;
      else if (/^>[\r\n]/.test(text)) from = 1;
      lineStart = false;
    }
    for (let at = from; at < text.length; at++) {
      if (!thought) {
        at = text.indexOf('<', at);
        if (at < 0) break;
      }
      const character = text.charCodeAt(at);
      if (character === 10) {
        emitThought(text.slice(from, at));
        lineBreaks += '\n';
        lineStart = true;
        return at + 1;
      }
      if (character !== 60) continue;
      if (!thought) {
        // What stands before decides whether the answer has begun, and so what counts as a remnant.
        emitText(text.slice(from, at));
        from = at;
      }
      const tag = readTag(text.slice(at, at + MAX_TAG_CHARACTERS));
      if (tag === undefined) continue;
      emitThought(text.slice(from, at));
      if (tag === 'wait') return at;
      takeTag(tag.name);
      return at + tag.length;
    }
    (thought ? emitThought : emitText)(text.slice(from));
    return text.length;
  }

  function readHead(text: string): number {
    const from = text.search(/\S/);
    if (from < 0) return text.length;
    const rest = text.slice(from);
    if (rest.startsWith('<summary>')) {
      state = 'summary';
      return from + '<summary>'.length;
    }
    if ('<summary>'.startsWith(rest)) return from;
    state = 'thought';
    return from;
  }

  function readSummary(text: string): number {
    const end = text.indexOf('</summary>');
    if (end < 0) {
      if (text.length >= MAX_TAG_CHARACTERS) state = 'thought';
      return 0;
    }
    summary = text.slice(0, end).trim();
    state = 'head';
    return end + '</summary>'.length;
  }

  function readBlock(text: string): number {
    const end = text.indexOf(closeBlock);
    const used = end < 0 ? Math.max(0, text.length - closeBlock.length + 1) : end;
    if (onToolBlock) blockContent += text.slice(0, used);
    if (end < 0) return used;
    onToolBlock?.(blockContent);
    state = stateBehindBlock;
    return end + closeBlock.length;
  }

  function read(text: string): number {
    if (state === 'block') return readBlock(text);
    if (state === 'head') return readHead(text);
    if (state === 'summary') return readSummary(text);
    return readFlow(text);
  }

  function drain(): void {
    let used = 0;
    while (used < pending.length) {
      const before: State = state;
      const count = read(used === 0 ? pending : pending.slice(used));
      used += count;
      if (count === 0 && state === before) break;
    }
    pending = pending.slice(used);
  }

  /** What the last thinking frame left undecided goes on in `next`, the text of an answer frame, or was thought. */
  function settlePendingThought(next: string): void {
    const both = pending + next;
    if (thinking() && both.includes(closeThought)) return;
    const inThought = state === 'thought' || state === 'plain-thought';
    if (inThought && readTag(both.slice(0, MAX_TAG_CHARACTERS)) !== undefined) return;
    // A quote marker, or a piece of the block's head, is nothing by itself.
    if (inThought && !lineStart) emitThought(pending);
    pending = '';
  }

  /**
   * An answer frame may begin inside an open thinking block: either the block's end is still to come in it, or the upstream never
   * closes the block and the phase alone says that the thought is over. Returns false while that is open.
   */
  function settleOpenThought(): boolean {
    if (pending.includes(closeThought)) return true;
    const tail = pending.lastIndexOf('<');
    if (pending.trim() === '' || (tail >= 0 && closeThought.startsWith(pending.slice(tail)))) return false;
    closeThinking();
    return true;
  }

  return {
    push(text, nextPhase) {
      if (phase === 'thinking' && nextPhase === 'answer' && pending !== '' && state !== 'outside' && state !== 'block')
        settlePendingThought(text);
      // Answer text that waited for the block's own end: it does not come in another phase.
      if (phase === 'answer' && nextPhase !== 'answer' && thinking() && pending.trim() !== '') {
        closeThinking();
        drain();
      }
      if (nextPhase !== phase && state === 'plain-thought' && nextPhase !== 'thinking') {
        drain();
        closeThinking();
      }
      if (nextPhase === 'thinking' && state === 'outside') {
        if (pending !== '' && readTag(pending + text) === undefined) {
          emitText(pending);
          pending = '';
        }
        if (pending === '') beginThought('plain-thought');
      }
      if (nextPhase !== phase) toolText = '';
      phase = nextPhase;
      pending += text;
      if (phase === 'answer' && thinking() && !settleOpenThought()) return;
      drain();
    },
    end() {
      if (phase === 'answer' && thinking()) {
        if (closeThought.startsWith(pending.trim())) pending = '';
        closeThinking();
        drain();
      }
      if (state === 'outside' && !pending.startsWith(openThought) && !pending.startsWith(openBlock)) emitText(pending);
      // The block's end may be missing; its content tells whether it is whole.
      if (state === 'block') onToolBlock?.(blockContent + pending);
      pending = '';
    },
  };
}
