/**
 * A source as a URL citation. Both positions are 0: the upstream does not say which words a source supports, and an empty range is
 * the one value that no client turns into a wrong highlight.
 */
export function encodeAnnotation(source: { readonly url: string; readonly title: string }): unknown {
  return {
    type: 'url_citation',
    url_citation: { url: source.url, title: source.title, start_index: 0, end_index: 0 },
  };
}
