/** One place of a text that cites a source, counted in code points, as in the language of the API that invented such places. */
export interface CitationPlace {
  readonly start: number;
  readonly end: number;
}

/** `[[1]` at the end of what stands before the address. */
const label = /\[\[\d{1,9}\]$/;
const MAX_LABEL_CHARACTERS = 12;

/** The places where a text links to `url` the way the web page of the upstream does: `[[1]](url)`. Linear in the text. */
export function findCitations(text: string, url: string): CitationPlace[] {
  const target = `](${url})`;
  const places: CitationPlace[] = [];
  // How many code points there are before this index: counted on, never anew.
  let counted = 0;
  let codePoints = 0;
  const countTo = (end: number): number => {
    for (; counted < end; counted += (text.codePointAt(counted) ?? 0) > 0xffff ? 2 : 1) codePoints += 1;
    return codePoints;
  };
  for (let at = text.indexOf(target); at >= 0; at = text.indexOf(target, at + target.length)) {
    const [found] = label.exec(text.slice(Math.max(0, at - MAX_LABEL_CHARACTERS), at)) ?? [];
    if (found !== undefined) places.push({ start: countTo(at - found.length), end: countTo(at + target.length) });
  }
  return places;
}
