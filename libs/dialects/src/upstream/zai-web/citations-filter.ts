import type { DocumentReader } from './document-parser.ts';
import type { HoldingReader } from './search-results-filter.ts';

type Kind = 'reasoning' | 'text';

/** `【turn0search1】`, `【turn9click0】` (protocol 5.6). */
const citation = /^【(turn\d{1,3}[a-z]{1,10}\d{1,3})】/;
/** What may become one: at most 20 characters behind the bracket are held back. */
const beginning = /^【(?:t|tu|tur|turn\d{0,3}|turn\d{1,3}[a-z]{1,10}\d{0,3})?$/;

/** Puts links in the place of citations, and nothing in the place of unknown ones. Every other use of the brackets stays as it is. */
export function createCitationFilter(reader: DocumentReader, link: (reference: string) => string): HoldingReader {
  let kind: Kind = 'text';
  let held = '';

  function emit(text: string): void {
    if (text !== '') reader[kind](text);
  }

  function flush(): void {
    const rest = held;
    held = '';
    emit(rest);
  }

  function take(next: Kind, text: string): void {
    if (next !== kind) flush();
    kind = next;
    let rest = held + text;
    held = '';
    let shown = '';
    for (let at = rest.indexOf('【'); at >= 0; at = rest.indexOf('【')) {
      shown += rest.slice(0, at);
      rest = rest.slice(at);
      const [whole, reference] = citation.exec(rest) ?? [];
      if (whole !== undefined && reference !== undefined) {
        shown += link(reference);
        rest = rest.slice(whole.length);
      } else if (beginning.test(rest)) {
        held = rest;
        rest = '';
      } else {
        shown += '【';
        rest = rest.slice(1);
      }
    }
    emit(shown + rest);
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
