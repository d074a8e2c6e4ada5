import { describe, expect, it } from '@jest/globals';
import { builtInModels, resolveModel, type UpstreamModel } from '@zai2api/dialects';
import { TurnError } from '@zai2api/turn';
import type { CatalogSource, ModelCatalog } from './model-catalog.ts';
import { createModelDirectory, type ModelDirectory, type ModelDirectoryOptions } from './model-directory.ts';
import { parseModelRule } from './model-names.ts';

const signal = new AbortController().signal;
const [template] = builtInModels;
const model = (upstreamId: string, changes: Partial<UpstreamModel> = {}): UpstreamModel => ({
  ...template!,
  id: upstreamId.toLowerCase(),
  upstreamId,
  name: upstreamId,
  ...changes,
});

interface FakeCatalog extends ModelCatalog {
  waited: number;
}

function catalogOf(models: readonly UpstreamModel[], source: CatalogSource = 'live'): FakeCatalog {
  const catalog: FakeCatalog = {
    waited: 0,
    list: () => Promise.resolve({ models, source }),
    source: () => source,
    known: (name) => resolveModel(models, name),
    freshen: () => undefined,
    resolve(name) {
      catalog.waited += 1;
      const found = resolveModel(models, name);
      return found
        ? Promise.resolve(found)
        : Promise.reject(new TurnError('model_not_found', 'x', { layer: 'client' }));
    },
  };
  return catalog;
}

const rules = (...texts: string[]) => texts.map((text) => parseModelRule(text)!);
const platform = catalogOf([model('glm-5'), model('glm-4.7'), model('glm-4.7-flash'), model('glm-5.3-flash')]);
const web = catalogOf([model('glm-5'), model('glm-4.7'), model('x-preview-l', { id: 'glm-5.3-flash' }), model('zero')]);

function directory(changes: Partial<ModelDirectoryOptions> = {}): ModelDirectory {
  return createModelDirectory({
    upstreams: [
      { name: 'platform', catalog: platform },
      { name: 'web', catalog: web },
    ],
    aliases: rules('claude-*-haiku*=glm-4.7-flash', 'gpt-4o=glm-5', 'mine=glm-4.7@web'),
    fallbacks: rules('glm-5=glm-4.7|zero'),
    contextOf: ({ id }) => (id === 'glm-5' ? 200_000 : undefined),
    defaultModel: 'glm-4.7',
    ...changes,
  });
}

const places = async (name: string, of = directory()): Promise<string[]> =>
  (await of.resolve(name, signal)).routes.map(({ upstream, model: { upstreamId } }) => `${upstream} ${upstreamId}`);

it('says of every model how much goes into it', async () => {
  const { models } = await directory().list(signal);
  expect(models.find(({ id }) => id === 'glm-5')?.contextTokens).toBe(200_000);
  expect(models.find(({ id }) => id === 'zero')?.contextTokens).toBeUndefined();
  const { routes } = await directory().resolve('claude-glm-5', signal);
  expect(routes.slice(0, 2).map((route) => route.model.contextTokens)).toEqual([200_000, 200_000]);
});

describe('a name', () => {
  it.each([
    ['', ['platform glm-4.7', 'web glm-4.7']],
    ['GLM-4.7', ['platform glm-4.7', 'web glm-4.7']],
    ['glm-4.7@web', ['web glm-4.7']],
    ['glm-4.7-flash', ['platform glm-4.7-flash']],
    ['zero', ['web zero']],
    // One upstream's own id is another model name at the other.
    ['x-preview-l', ['platform glm-5.3-flash', 'web x-preview-l']],
    ['claude-3-5-haiku-latest', ['platform glm-4.7-flash']],
    ['claude-opus-4-1', ['platform glm-4.7', 'web glm-4.7']],
    ['claude-opus-4-1@web', ['web glm-4.7']],
    ['mine', ['web glm-4.7']],
    // Who asks for an upstream knows better than the alias.
    ['mine@platform', ['platform glm-4.7']],
    ['gpt-4o', ['platform glm-5', 'web glm-5', 'platform glm-4.7', 'web glm-4.7', 'web zero']],
    ['glm-5@web', ['web glm-5', 'platform glm-4.7', 'web glm-4.7', 'web zero']],
  ])('%j means %j', async (name, expected) => {
    expect(await places(name)).toEqual(expected);
  });

  it('keeps its suffixes behind an alias', async () => {
    expect(await directory().resolve('gpt-4o-nothinking-search', signal)).toMatchObject({
      thinking: false,
      search: true,
    });
    expect(await directory().resolve('claude-sonnet-4-thinking', signal)).toMatchObject({
      routes: [{ model: { upstreamId: 'glm-4.7' } }, {}],
    });
  });

  it('looks for an alias behind a few suffixes, not behind all that a name may have', async () => {
    let looked = 0;
    const rule = {
      get pattern() {
        looked += 1;
        return 'mine';
      },
      models: ['glm-5'],
    };
    const of = directory({ aliases: [rule] });
    await expect(of.resolve(`mine${'-think'.repeat(5_000)}`, signal)).rejects.toMatchObject({
      code: 'model_not_found',
    });
    expect(looked).toBeLessThan(20);
  });

  it.each(['nothing', 'glm-4.7@nobody', 'zero@platform', 'nothing-thinking'])('%s is none', async (name) => {
    await expect(directory().resolve(name, signal)).rejects.toMatchObject({
      code: 'model_not_found',
      details: { param: 'model' },
    });
  });

  it('is waited for only where nobody that was reached knows it', async () => {
    const reached = catalogOf([model('a')]);
    const unreached = catalogOf([model('a'), model('b')], 'built-in');
    const both = directory({
      upstreams: [
        { name: 'platform', catalog: reached },
        { name: 'web', catalog: unreached },
      ],
    });
    expect(await places('a', both)).toEqual(['platform a', 'web a']);
    expect([reached.waited, unreached.waited]).toEqual([0, 0]);
    expect(await places('b', both)).toEqual(['web b']);
    expect(unreached.waited).toBe(1);
  });

  it('is given up when its client leaves', async () => {
    const controller = new AbortController();
    const waiting: ModelCatalog = {
      ...catalogOf([], 'built-in'),
      resolve: () => Promise.reject(TurnError.from(controller.signal.reason)),
    };
    controller.abort();
    const resolving = directory({ upstreams: [{ name: 'web', catalog: waiting }] }).resolve('a', controller.signal);
    await expect(resolving).rejects.toMatchObject({ code: 'cancelled' });
  });
});

describe('a key with rules of its own', () => {
  const of = directory({
    aliases: rules('gpt-4o=glm-5', 'a gpt-4o=glm-4.7@web', 'a only-a=zero', 'b gpt-4o-mini=glm-4.7-flash'),
    fallbacks: rules('glm-5=glm-4.7|zero', 'b glm-5=glm-4.7-flash', 'a zero=glm-4.7'),
  });
  const placesFor = async (keyName: string | undefined, name: string): Promise<string[]> =>
    (await of.resolve(name, signal, keyName)).routes.map(({ upstream, model: { id } }) => `${upstream} ${id}`);

  it.each([
    [undefined, 'gpt-4o', ['platform glm-5', 'web glm-5', 'platform glm-4.7', 'web glm-4.7', 'web zero']],
    ['a', 'gpt-4o', ['web glm-4.7']],
    ['a', 'only-a', ['web zero', 'platform glm-4.7', 'web glm-4.7']],
    ['b', 'gpt-4o', ['platform glm-5', 'web glm-5', 'platform glm-4.7-flash']],
    ['b', 'gpt-4o-mini', ['platform glm-4.7-flash']],
  ])('%s: %s means %j', async (keyName, name, expected) => {
    expect(await placesFor(keyName, name)).toEqual(expected);
  });

  it('has names that nobody else has', async () => {
    await expect(placesFor('b', 'only-a')).rejects.toMatchObject({ code: 'model_not_found' });
    const namesOf = async (keyName?: string): Promise<string[]> =>
      (await of.list(signal, keyName)).models.map(({ id }) => id).filter((id) => /^(?:gpt|only)/.test(id));
    expect(await Promise.all([namesOf(), namesOf('a'), namesOf('b')])).toEqual([
      ['gpt-4o'],
      ['gpt-4o', 'only-a'],
      ['gpt-4o-mini', 'gpt-4o'],
    ]);
    const { models } = await of.list(signal, 'a');
    expect(models.find(({ id }) => id === 'gpt-4o')?.upstreamId).toBe('glm-4.7');
  });
});

describe('the list', () => {
  it('has every model once, able where anybody is, and the aliases that are no patterns', async () => {
    const seeing = { ...template!.capabilities, vision: true };
    const blind = { ...template!.capabilities, vision: false };
    const { models } = await directory({
      upstreams: [
        { name: 'platform', catalog: catalogOf([model('glm-5', { capabilities: blind, hidden: true })]) },
        { name: 'web', catalog: catalogOf([model('glm-5', { capabilities: seeing }), model('zero')]) },
      ],
      aliases: rules('claude-*=glm-5', 'gpt-4o=glm-5', 'gone=nothing', 'zero=glm-5'),
    }).list(signal);
    expect(models.map(({ id }) => id)).toEqual(['glm-5', 'zero', 'gpt-4o']);
    expect(models[0]).toMatchObject({ hidden: false, capabilities: { vision: true } });
    expect(models[2]).toMatchObject({ name: 'gpt-4o', upstreamId: 'glm-5' });
  });

  it.each<[CatalogSource, CatalogSource, CatalogSource]>([
    ['live', 'live', 'live'],
    ['live', 'stale', 'stale'],
    ['stale', 'built-in', 'built-in'],
  ])('is as good as its worst part: %s and %s is %s', (one, other, expected) => {
    const upstreams = [one, other].map((source, index) => ({ name: String(index), catalog: catalogOf([], source) }));
    expect(directory({ upstreams }).source()).toBe(expected);
  });
});
