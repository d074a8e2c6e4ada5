import type { DocumentReader } from './document-parser.ts';
import { createJsonSpan, isResultJson, MAX_RESULT_CHARACTERS, type JsonSpan } from './search-results-scan.ts';

/** A reader that may hold back the end of what it was given. */
export interface HoldingReader extends DocumentReader {
  /** Nothing more will come: what was held is decided. */
  end(): void;
}

type Kind = 'reasoning' | 'text';

const opening = '{"search_result":[';
/** Enough for the opening and the blanks that encoders put into it. */
const MAX_OPENING_CHARACTERS = 64;

/**
 * Takes out result lists that stand in the open: an edit may write the whole document again, under the phase of the answer. Only a list
 * that names references is one; the model's own JSON stays.
 */
export function createResultFilter(reader: DocumentReader): HoldingReader {
  let kind: Kind = 'text';
  let held = '';
  let span: JsonSpan | undefined;
  /** Behind a list, the line breaks that set it apart from the text go with it. */
  let behindList = false;

  function emit(text: string): void {
    const shown = behindList ? text.replace(/^[\r\n]+/, '') : text;
    if (shown === '') return;
    behindList = false;
    reader[kind](shown);
  }

  function read(text: string): void {
    let rest = text;
    while (rest !== '') {
      if (span) {
        const end = span.push(rest);
        if (end === undefined && held.length + rest.length <= MAX_RESULT_CHARACTERS) {
          held += rest;
          return;
        }
        span = undefined;
        const value = held + rest.slice(0, end === -1 ? undefined : end);
        rest = end === undefined || end === -1 ? '' : rest.slice(end);
        held = '';
        if (isResultJson(value, 'answer')) behindList = true;
        else emit(value);
        continue;
      }
      const all = held + rest;
      held = '';
      const at = findOpening(all);
      emit(all.slice(0, at.index));
      if (at.state === 'none') return;
      if (at.state === 'maybe') {
        held = all.slice(at.index);
        return;
      }
      span = createJsonSpan(0);
      rest = all.slice(at.index);
    }
  }

  function flush(): void {
    const rest = held;
    // A list that was cut off is still no text.
    if (!(span && /"ref_id"\s*:\s*"turn/.test(rest))) emit(rest);
    span = undefined;
    held = '';
    behindList = false;
  }

  function take(next: Kind, text: string): void {
    if (next !== kind) flush();
    kind = next;
    read(text);
  }

  return {
    ...reader,
    reasoning: (text) => take('reasoning', text),
    text: (text) => take('text', text),
    endReasoning(summary) {
      flush();
      reader.endReasoning(summary);
    },
    end: flush,
  };
}

/** Where a list begins, or might begin at the very end. */
function findOpening(text: string): { readonly index: number; readonly state: 'list' | 'maybe' | 'none' } {
  for (let index = text.indexOf('{'); index >= 0; index = text.indexOf('{', index + 1)) {
    const piece = text.slice(index, index + MAX_OPENING_CHARACTERS);
    const compact = piece.replaceAll(/\s+/g, '');
    if (compact.startsWith(opening)) return { index, state: 'list' };
    if (piece.length < MAX_OPENING_CHARACTERS && opening.startsWith(compact)) return { index, state: 'maybe' };
  }
  return { index: text.length, state: 'none' };
}
