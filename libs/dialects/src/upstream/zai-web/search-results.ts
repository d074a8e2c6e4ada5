import { isRecord } from '../../is-record.ts';

/** A page that the upstream's own web search found. */
export interface SearchResult {
  /** http or https, in the form in which it can stand in a Markdown link. */
  readonly url: string;
  /** Never empty: a page without a title is called by its host. */
  readonly title: string;
  /** The upstream's own number of it, from 1. */
  readonly index?: number;
  /** What citations call it, such as `turn0search1`. */
  readonly reference?: string;
}

/** The usable ones of a list of results (protocol 5.6). */
export function readSearchResults(list: unknown): SearchResult[] {
  return Array.isArray(list) ? list.flatMap(readSearchResult) : [];
}

/** The results that a frame of the search phase lists under one of three names (protocol 5.6). */
export function readSearchFrame(data: Record<string, unknown>): SearchResult[] {
  if (data['phase'] !== 'search' && data['type'] !== 'web_search') return [];
  return ['results', 'sources', 'citations'].flatMap((name) => readSearchResults(data[name]));
}

/** What a `source` or `citation` event names: a page, a list of pages, or documents with the page of each in their metadata. */
export function readSourceEvent(data: unknown): SearchResult[] {
  if (Array.isArray(data)) return data.flatMap(readSourceEvent);
  if (!isRecord(data)) return [];
  return [...readSearchResult(data), ...readSearchResult(data['source']), ...readSearchResults(data['metadata'])];
}

function readSearchResult(value: unknown): SearchResult[] {
  if (!isRecord(value)) return [];
  const url = [value['url'], value['link'], value['source']].map(readUrl).find((found) => found !== undefined);
  if (url === undefined) return [];
  const title = [value['title'], value['name']].find((text) => typeof text === 'string' && text.trim() !== '');
  const { index, ref_id: reference } = value;
  return [
    {
      url,
      title: typeof title === 'string' ? title.trim().replaceAll(/\s+/g, ' ') : new URL(url).hostname,
      ...(Number.isSafeInteger(index) && Number(index) > 0 ? { index: Number(index) } : {}),
      ...(typeof reference === 'string' && reference !== '' ? { reference } : {}),
    },
  ];
}

/** Parentheses would end the target of a Markdown link early. */
function readUrl(value: unknown): string | undefined {
  const url = typeof value === 'string' ? URL.parse(value.trim()) : null;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') return undefined;
  return url.href.replaceAll('(', '%28').replaceAll(')', '%29');
}
