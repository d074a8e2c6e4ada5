import { readFileSync } from 'node:fs';

/** One shell block of a page. */
export interface DocumentedBlock {
  /** Headings, the page's title first. */
  readonly headings: readonly string[];
  readonly line: number;
  readonly text: string;
  /** Where it runs, from the comment before it (`run: compose`, `not run: why`); undefined when there is none. */
  readonly marker: string | undefined;
}

const repository = new URL('../../../', import.meta.url);

/** Every shell block of a page of this repository, in its order. */
export function readBlocks(page: string): DocumentedBlock[] {
  const blocks: DocumentedBlock[] = [];
  let headings: string[] = [];
  let marker: string | undefined;
  let open: { readonly line: number; readonly isShell: boolean; readonly lines: string[] } | undefined;
  for (const [index, line] of readFileSync(new URL(page, repository), 'utf8').split('\n').entries()) {
    const fence = /^```(\w*)/.exec(line);
    if (open !== undefined) {
      if (fence === null) open.lines.push(line);
      else {
        if (open.isShell) blocks.push({ headings, line: open.line, text: open.lines.join('\n'), marker });
        marker = undefined;
        open = undefined;
      }
      continue;
    }
    const heading = /^(#+) (.*)/.exec(line);
    if (heading) headings = [...headings.slice(0, (heading[1] ?? '').length - 1), heading[2] ?? ''];
    marker = /^<!-- ((?:not )?run: .*) -->$/.exec(line)?.[1] ?? (line === '' ? marker : fence ? marker : undefined);
    if (fence) open = { line: index + 1, isShell: fence[1] === 'sh', lines: [] };
  }
  return blocks;
}

/** The blocks of a chapter and its sub-chapters that run in one place. */
export function blocksOf(page: string, chapter: string, place: string): DocumentedBlock[] {
  const blocks = readBlocks(page).filter(
    ({ headings, marker }) => headings.includes(chapter) && marker === `run: ${place}`,
  );
  if (blocks.length === 0) throw new Error(`${page} has no block in “${chapter}” that runs in ${place}.`);
  return blocks;
}
