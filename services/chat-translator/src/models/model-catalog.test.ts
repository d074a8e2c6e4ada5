import { describe, expect, it } from '@jest/globals';
import { builtInModels, type UpstreamModel } from '@zai2api/dialects';
import { createModelCatalog, type ModelCatalog } from './model-catalog.ts';

const never = new AbortController().signal;
const model = (id: string): UpstreamModel => ({ ...builtInModels[0]!, id, upstreamId: `up-${id}`, name: id });

interface Setup {
  readonly catalog: ModelCatalog;
  readonly readings: PromiseWithResolvers<UpstreamModel[]>[];
  readonly failures: unknown[];
  readonly pass: (ms: number) => void;
  /** Lists once while the upstream answers this. */
  readonly listWith: (answer: UpstreamModel[] | Error) => Promise<{ ids: string[]; source: string }>;
}

function setUp(maxAgeMs = 300_000): Setup {
  let nowMs = 5;
  const readings: PromiseWithResolvers<UpstreamModel[]>[] = [];
  const failures: unknown[] = [];
  const catalog = createModelCatalog({
    maxAgeMs,
    now: () => nowMs,
    onFailure: (reason) => failures.push(reason),
    read: () => {
      readings.push(Promise.withResolvers<UpstreamModel[]>());
      return readings.at(-1)!.promise;
    },
  });
  return {
    catalog,
    readings,
    failures,
    pass: (ms) => (nowMs += ms),
    async listWith(answer) {
      const listing = catalog.list(never);
      if (answer instanceof Error) readings.at(-1)?.reject(answer);
      else readings.at(-1)?.resolve(answer);
      const { models, source } = await listing;
      return { ids: models.map(({ id }) => id), source };
    },
  };
}

describe('the list', () => {
  it('is read once for all who ask, and again when it is old', async () => {
    const { catalog, readings, listWith, pass } = setUp();
    const other = catalog.list(never);
    expect(await listWith([model('a')])).toEqual({ ids: ['a'], source: 'live' });
    expect((await other).source).toBe('live');
    pass(299_999);
    expect((await catalog.list(never)).source).toBe('live');
    expect(readings).toHaveLength(1);
    pass(1);
    expect(await listWith([model('b')])).toEqual({ ids: ['b'], source: 'live' });
    expect(readings).toHaveLength(2);
  });

  it('is the built-in one when the upstream was never reached', async () => {
    const { catalog, failures, listWith } = setUp();
    const listed = await listWith(new Error('down'));
    expect(listed).toEqual({ ids: builtInModels.map(({ id }) => id), source: 'built-in' });
    expect(failures).toEqual([new Error('down')]);
    expect(catalog.source()).toBe('built-in');
  });

  it('is the last good one while the upstream fails, which is left alone in between', async () => {
    const { catalog, readings, listWith, pass } = setUp();
    await listWith([model('a')]);
    pass(300_000);
    expect(await listWith(new Error('down'))).toEqual({ ids: ['a'], source: 'stale' });
    pass(9_999);
    expect((await catalog.list(never)).source).toBe('stale');
    expect(readings).toHaveLength(2);
    pass(1);
    expect(await listWith([model('b')])).toEqual({ ids: ['b'], source: 'live' });
  });

  it('rejects those who leave, and is read to its end for the others', async () => {
    const { catalog, readings } = setUp();
    const client = new AbortController();
    const left = catalog.list(client.signal);
    const stayed = catalog.list(never);
    client.abort();
    await expect(left).rejects.toMatchObject({ code: 'cancelled' });
    await expect(catalog.list(client.signal)).rejects.toMatchObject({ name: 'AbortError' });
    readings[0]?.resolve([model('a')]);
    expect((await stayed).source).toBe('live');
  });
});

describe('a name', () => {
  it('is looked up in the live list at once, also when that is old', async () => {
    const { catalog, readings, listWith, pass } = setUp();
    await listWith([model('a')]);
    pass(300_000);
    expect((await catalog.resolve('A-search', never)).model.id).toBe('a');
    expect(readings).toHaveLength(2);
    readings[1]?.reject(new Error('down'));
  });

  it('that is not known waits for an old list to be read anew', async () => {
    const { catalog, readings, listWith, pass } = setUp();
    await listWith([model('a')]);
    pass(300_000);
    const resolving = catalog.resolve('b', never);
    readings[1]?.resolve([model('a'), model('b')]);
    expect((await resolving).model.upstreamId).toBe('up-b');
  });

  it('that is not known to a fresh list does not bother the upstream', async () => {
    const { catalog, readings, listWith } = setUp();
    await listWith([model('a')]);
    await expect(catalog.resolve('b', never)).rejects.toMatchObject({
      code: 'model_not_found',
      details: { param: 'model', layer: 'client' },
    });
    expect(readings).toHaveLength(1);
  });

  it('is found in the built-in list when the upstream cannot be reached', async () => {
    const { catalog, readings } = setUp();
    const resolving = catalog.resolve('glm-4.7', never);
    readings[0]?.reject(new Error('down'));
    expect((await resolving).model.upstreamId).toBe('glm-4.7');
    expect((await catalog.resolve('GLM-4.6', never)).model.upstreamId).toBe('GLM-4-6-API-V1');
    expect(readings).toHaveLength(1);
  });

  it('is shown shortened in the error', async () => {
    const { catalog, listWith } = setUp();
    await listWith([model('a')]);
    await expect(catalog.resolve('x'.repeat(10_000), never)).rejects.toMatchObject({
      message: expect.stringMatching(/^.{0,250}$/s) as unknown,
    });
  });
});
