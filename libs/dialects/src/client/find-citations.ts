/** One place of a text that cites a source, counted in code points, as in the language of the API that invented such places. */
export interface CitationPlace {
  readonly start: number;
  readonly end: number;
}

/** The places where a text links to `url` the way the web page of the upstream does: `[[1]](url)`. */
export function findCitations(text: string, url: string): CitationPlace[] {
  const target = `](${url})`;
  const places = [];
  for (let at = text.indexOf(target); at >= 0; at = text.indexOf(target, at + 1)) {
    const start = text.lastIndexOf('[[', at);
    if (start < 0 || !/^\[\[\d+\]$/.test(text.slice(start, at))) continue;
    places.push({ start: countCodePoints(text, start), end: countCodePoints(text, at + target.length) });
  }
  return places;
}

function countCodePoints(text: string, end: number): number {
  let count = 0;
  for (let at = 0; at < end; at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1) count += 1;
  return count;
}
