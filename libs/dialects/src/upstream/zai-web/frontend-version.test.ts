import { describe, expect, it } from '@jest/globals';
import { findFrontendVersion } from './frontend-version.ts';

describe('findFrontendVersion', () => {
  it.each<[string, string | undefined]>([
    [
      '<script src="https://z-cdn.chatglm.cn/z-ai/frontend/prod-fe-1.1.88/assets/index-x.js"></script>',
      'prod-fe-1.1.88',
    ],
    ['prod-fe-1.1.98 and prod-fe-1.1.97', 'prod-fe-1.1.98'],
    ['prod-fe-10.200.3000', 'prod-fe-10.200.3000'],
    ['prod-fe-1.1', undefined],
    ['PROD-FE-1.1.1', undefined],
    ['<title>405</title>', undefined],
    ['', undefined],
  ])('%s', (html, version) => {
    expect(findFrontendVersion(html)).toBe(version);
  });
});
