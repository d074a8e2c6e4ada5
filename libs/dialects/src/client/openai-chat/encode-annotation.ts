/**
 * The sources of an answer as URL citations (contract 1.3). One for each link to a source in the content, with the place of that link; one
 * with an empty range for a source that nothing links to: the one value that no client turns into a wrong highlight. Places are counted
 * in code points, as in the language of the API that invented them.
 */
export function encodeAnnotations(
  sources: readonly { readonly url: string; readonly title: string }[],
  content: string,
): unknown[] {
  return sources.flatMap(({ url, title }) => {
    const links = findLinks(content, url);
    return (links.length > 0 ? links : [{ start: 0, end: 0 }]).map(({ start, end }) => ({
      type: 'url_citation',
      url_citation: {
        url,
        title,
        start_index: countCodePoints(content, start),
        end_index: countCodePoints(content, end),
      },
    }));
  });
}

/** The citations of a page: `[[1]](url)`. */
function findLinks(content: string, url: string): { readonly start: number; readonly end: number }[] {
  const target = `](${url})`;
  const links = [];
  for (let at = content.indexOf(target); at >= 0; at = content.indexOf(target, at + 1)) {
    const start = content.lastIndexOf('[[', at);
    if (start >= 0 && /^\[\[\d+\]$/.test(content.slice(start, at))) links.push({ start, end: at + target.length });
  }
  return links;
}

function countCodePoints(text: string, end: number): number {
  let count = 0;
  for (let at = 0; at < end; at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1) count += 1;
  return count;
}
