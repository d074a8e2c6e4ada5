import { findCitations } from '../find-citations.ts';

/**
 * The sources of an answer as URL citations (contract 1.3). One for each link to a source in the content, with the place of that link; one
 * with an empty range for a source that nothing links to: the one value that no client turns into a wrong highlight.
 */
export function encodeAnnotations(
  sources: readonly { readonly url: string; readonly title: string }[],
  content: string,
): unknown[] {
  return sources.flatMap(({ url, title }) => {
    const places = findCitations(content, url);
    return (places.length > 0 ? places : [{ start: 0, end: 0 }]).map(({ start, end }) => ({
      type: 'url_citation',
      url_citation: { url, title, start_index: start, end_index: end },
    }));
  });
}
