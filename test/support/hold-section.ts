import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from '@jest/globals';

/** A Markdown table, its first row being the head. */
export const tableOf = (rows: readonly (readonly string[])[]): string =>
  rows
    .flatMap((row, index) => (index === 0 ? [row, row.map(() => '---')] : [row]))
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');

/** Holds the part of a page of `docs` between `<!-- name:begin -->` and `<!-- name:end -->` to the text; with `GOLDEN_UPDATE=1` writes it there. */
export function holdSection(page: string, name: string, text: string): void {
  const url = new URL(`../../docs/${page}`, import.meta.url);
  const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
  const [before = '', rest = ''] = readFileSync(url, 'utf8').split(begin);
  const written = `${before}${begin}\n\n<!-- prettier-ignore -->\n${text}\n\n${end}${rest.split(end)[1] ?? ''}`;
  if (process.env['GOLDEN_UPDATE'] === '1') writeFileSync(url, written);
  expect(readFileSync(url, 'utf8')).toBe(written);
}
