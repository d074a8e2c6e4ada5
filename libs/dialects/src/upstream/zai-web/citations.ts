import type { TurnEvent } from '@zai2api/turn';
import type { SearchResult } from './search-results.ts';

/** The pages of one answer: each is told once, and keeps its number. */
export interface Citations {
  add(results: readonly SearchResult[]): void;
  /**
   * The Markdown link for a reference such as `turn0search1`; empty when no page has that name. What was said of a reference once is
   * said always, so that a document that is read again reads the same.
   */
  link(reference: string): string;
  /** The pages since the last call, as events. */
  take(): TurnEvent[];
}

/** The citations of one answer; it outlives every reading of the document. */
export function createCitations(): Citations {
  const numbers = new Map<string, number>();
  const links = new Map<string, string>();
  let highest = 0;
  let sources: TurnEvent[] = [];

  function numberOf({ url, title, index }: SearchResult): number {
    const known = numbers.get(url);
    if (known !== undefined) return known;
    // A second search may count from 1 again.
    const isFree = index !== undefined && ![...numbers.values()].includes(index);
    const number = isFree ? index : highest + 1;
    highest = Math.max(highest, number);
    numbers.set(url, number);
    sources.push({ type: 'source', url, title });
    return number;
  }

  return {
    add(results) {
      for (const result of results) {
        const number = numberOf(result);
        if (result.reference !== undefined && !links.has(result.reference))
          links.set(result.reference, `[[${number}]](${result.url})`);
      }
    },
    link(reference) {
      const link = links.get(reference) ?? '';
      links.set(reference, link);
      return link;
    },
    take() {
      const taken = sources;
      sources = [];
      return taken;
    },
  };
}
