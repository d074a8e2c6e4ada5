import { describe, expect, it } from '@jest/globals';
import { readBlocks } from './support/documented-blocks.ts';

const blocks = [
  ...readBlocks('docs/deployment.md').map((block) => ({ page: 'docs/deployment.md', ...block })),
  ...readBlocks('README.md')
    .filter(({ headings }) => headings.includes('Deploy') || headings.includes('On Kubernetes'))
    .map((block) => ({ page: 'README.md', ...block })),
];

describe('the pages about deployment', () => {
  it('have commands', () => {
    expect(blocks.length).toBeGreaterThan(15);
  });

  it.each(blocks)('say where their commands run: $page:$line', ({ marker }) => {
    expect(marker).toMatch(/^(run: (host|compose|kubernetes)$|not run: .{10})/);
  });

  it('leave out little', () => {
    expect(blocks.filter(({ marker }) => marker?.startsWith('not run')).length).toBeLessThan(4);
  });
});
