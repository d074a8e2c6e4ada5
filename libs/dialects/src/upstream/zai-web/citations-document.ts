import { createCitationFilter } from './citations-filter.ts';
import type { Citations } from './citations.ts';
import { createDocumentParser, type DocumentParser, type DocumentReader } from './document-parser.ts';
import { createResultFilter } from './search-results-filter.ts';
import { createResultScanner } from './search-results-scan.ts';

/**
 * A parser for one document from its start that knows about web search: results go to `citations`, from wherever they stand, and none of
 * their JSON to the reader; citations in thoughts and answer become links.
 */
export function createCitedDocumentParser(
  reader: DocumentReader,
  citations: Citations,
  onToolBlock?: (content: string) => void,
): DocumentParser {
  const scanner = createResultScanner((results) => citations.add(results));
  const links = createCitationFilter(reader, (reference) => citations.link(reference));
  const shown = createResultFilter(links);
  const parser = createDocumentParser(shown, onToolBlock);
  return {
    push(text, phase) {
      // First: what cites a page may stand in the same piece.
      scanner.push(text, phase);
      parser.push(text, phase);
    },
    end() {
      parser.end();
      shown.end();
      links.end();
    },
  };
}
