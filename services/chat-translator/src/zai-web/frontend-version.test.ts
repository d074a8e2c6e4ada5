import { describe, expect, it } from '@jest/globals';
import { createFrontendVersion, type FrontendVersion } from './frontend-version.ts';

const never = new AbortController().signal;
const page = (version: string): string => `<script src="/frontend/${version}/assets/index.js">`;

interface Setup {
  readonly source: FrontendVersion;
  readonly readings: (string | undefined)[];
  /** Every fetch of the page that was begun; settled by the test. */
  readonly fetches: PromiseWithResolvers<string>[];
  readonly pass: (ms: number) => void;
  /** Settles the latest fetch and lets its reading end. */
  readonly answer: (html: string | Error) => Promise<void>;
}

function setUp(): Setup {
  let nowMs = 1_000_000;
  const readings: (string | undefined)[] = [];
  const fetches: PromiseWithResolvers<string>[] = [];
  let hasRead = Promise.withResolvers<undefined>();
  const source = createFrontendVersion({
    fallback: 'prod-fe-0.0.1',
    now: () => nowMs,
    readPage: () => {
      const fetch = Promise.withResolvers<string>();
      fetches.push(fetch);
      return fetch.promise;
    },
    onReading: (version) => {
      readings.push(version);
      hasRead.resolve(undefined);
    },
  });
  return {
    source,
    readings,
    fetches,
    pass: (ms) => (nowMs += ms),
    async answer(html) {
      hasRead = Promise.withResolvers<undefined>();
      if (html instanceof Error) fetches.at(-1)?.reject(html);
      else fetches.at(-1)?.resolve(html);
      await hasRead.promise;
      // The reading itself is over a few microtasks behind its report.
      await new Promise(setImmediate);
    },
  };
}

describe('the frontend version', () => {
  it('is waited for once, by all who ask', async () => {
    const { source, fetches, answer } = setUp();
    const asked = [source.current(never), source.current(never)];
    await answer(page('prod-fe-1.1.98'));
    expect(await Promise.all([...asked, source.current(never)])).toEqual(Array(3).fill('prod-fe-1.1.98'));
    expect(fetches).toHaveLength(1);
    expect(source.latest()).toEqual({ version: 'prod-fe-1.1.98', source: 'live', readAtMs: 1_000_000 });
  });

  it.each<[string, string | Error]>([
    ['a page without one', '<title>405</title>'],
    ['an empty page', ''],
    ['no page', new Error('unreachable')],
  ])('is the configured one with %s, and the page is left alone for a minute', async (_name, html) => {
    const { source, readings, fetches, answer, pass } = setUp();
    const asked = source.current(never);
    await answer(html);
    expect(await asked).toBe('prod-fe-0.0.1');
    expect(source.latest()).toEqual({ version: 'prod-fe-0.0.1', source: 'configured' });
    expect(readings).toEqual([undefined]);
    pass(59_999);
    expect(await source.current(never)).toBe('prod-fe-0.0.1');
    expect(fetches).toHaveLength(1);
    pass(1);
    expect(await source.current(never)).toBe('prod-fe-0.0.1');
    await answer(page('prod-fe-1.2.3'));
    expect(await source.current(never)).toBe('prod-fe-1.2.3');
  });

  it('is read again after half an hour, without waiting, and kept when that fails', async () => {
    const { source, fetches, answer, pass } = setUp();
    const first = source.current(never);
    await answer(page('prod-fe-1.0.0'));
    await first;
    pass(30 * 60_000 - 1);
    await source.current(never);
    expect(fetches).toHaveLength(1);
    pass(1);
    expect(await source.current(never)).toBe('prod-fe-1.0.0');
    await answer(new Error('unreachable'));
    expect(await source.current(never)).toBe('prod-fe-1.0.0');
    expect(source.latest().source).toBe('live');
    expect(fetches).toHaveLength(2);
  });

  it('is read at once when it is said to be stale, one reading for all', async () => {
    const { source, fetches, answer } = setUp();
    const first = source.current(never);
    await answer(page('prod-fe-1.0.0'));
    await first;
    const refreshed = [source.refresh(never), source.refresh(never)];
    await answer(page('prod-fe-1.0.1'));
    await Promise.all(refreshed);
    expect(await source.current(never)).toBe('prod-fe-1.0.1');
    expect(fetches).toHaveLength(2);
  });

  it('is read behind the scenes on a suspicion, at most once a minute', async () => {
    const { source, fetches, answer, pass } = setUp();
    source.suspect();
    source.suspect();
    await answer(page('prod-fe-1.0.1'));
    source.suspect();
    expect(fetches).toHaveLength(1);
    pass(60_000);
    source.suspect();
    expect(fetches).toHaveLength(2);
    await answer(new Error('unreachable'));
    expect(source.latest().version).toBe('prod-fe-1.0.1');
  });

  it('keeps nobody who leaves, and goes on being read', async () => {
    const { source, answer } = setUp();
    const client = new AbortController();
    const asked = source.current(client.signal);
    const other = source.current(never);
    client.abort();
    expect(await asked).toBe('prod-fe-0.0.1');
    await source.refresh(client.signal);
    await answer(page('prod-fe-1.1.98'));
    expect(await other).toBe('prod-fe-1.1.98');
  });
});
