import { createGrowingText } from './growing-text.ts';

/** The phase of the frame that wrote a piece of the document; it decides what text outside of markup means. */
export type Phase = string | undefined;

/** One stretch of the document written under one phase. */
export interface Span {
  readonly text: string;
  readonly phase: Phase;
}

/**
 * The document that the upstream builds for one answer: thinking block, tool blocks and answer in one text (protocol 5.4).
 * `delta_content` appends; an edit keeps what stands before its index and replaces the rest.
 */
export interface AnswerDocument {
  append(text: string, phase: Phase): void;
  /** Returns false when the edit changed nothing. An index beyond the end counts as the end. */
  replaceTail(index: number, text: string, phase: Phase): boolean;
  /** The whole document, in order. */
  spans(): Span[];
  readonly length: number;
}

/** An empty document. */
export function createAnswerDocument(): AnswerDocument {
  const document = createGrowingText();
  let marks: { start: number; phase: Phase }[] = [];

  const mark = (phase: Phase): void => {
    if (marks.length === 0 || marks.at(-1)?.phase !== phase) marks.push({ start: document.length, phase });
  };

  return {
    append(text, phase) {
      mark(phase);
      document.append(text);
    },
    replaceTail(index, text, phase) {
      const known = document.read();
      const start = findStart(known, index, text);
      if (known.length - start === text.length && known.endsWith(text)) return false;
      document.write(known.slice(0, start));
      marks = marks.filter((existing) => existing.start < start);
      mark(phase);
      document.append(text);
      return true;
    },
    spans() {
      const known = document.read();
      return marks.map(({ start, phase }, position) => ({
        text: known.slice(start, marks[position + 1]?.start),
        phase,
      }));
    },
    get length() {
      return document.length;
    },
  };
}

/** What the document ends in before the edit that closes a thinking block, and what that edit begins with (protocol 5.3). */
const openAttribute = 'done="';
const closingEdit = /^true"/;

/**
 * Whether the index counts UTF-16 units or code points is unknown (protocol 12.7) and matters only behind astral characters. Units
 * are taken, as a browser would, unless the edit of a thinking block's tag fits only the other reading.
 */
function findStart(document: string, index: number, text: string): number {
  const byUnits = Math.max(0, Math.min(Math.trunc(index), document.length));
  if (closingEdit.test(text) && !document.slice(0, byUnits).endsWith(openAttribute)) {
    const prefix = Array.from(document).slice(0, Math.max(0, index)).join('');
    if (prefix.endsWith(openAttribute)) return prefix.length;
  }
  return byUnits;
}
