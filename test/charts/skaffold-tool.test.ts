import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { containersOf, podsOf } from './support/kubernetes-objects.ts';
import { parseObjects } from './support/render-chart.ts';
import { runToolOrThrow } from './support/run-tool.ts';
import { profileCombinations, readSkaffoldConfig, type SkaffoldConfig } from './support/skaffold-config.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

async function skaffold(command: string, profiles: readonly string[], ...args: readonly string[]): Promise<string> {
  const chosen = profiles.length > 0 ? [`--profile=${profiles.join(',')}`] : [];
  return runToolOrThrow('skaffold', [command, ...chosen, ...args], {
    cwd: root,
    env: { SKAFFOLD_UPDATE_CHECK: 'false' },
  });
}

/** By the real skaffold, which `.ci/charts-by-skaffold` builds. */
describe.each(profileCombinations.map((profiles) => ({ profiles, name: profiles.join(' and ') || 'none' })))(
  'the real skaffold with the profiles: $name',
  ({ profiles }) => {
    const { artifacts } = readSkaffoldConfig(...profiles).build;

    it('understands the configuration as the tests do', async () => {
      const { build } = parse(await skaffold('diagnose', profiles, '--yaml-only')) as SkaffoldConfig;
      const essence = (of: SkaffoldConfig['build']['artifacts']): unknown =>
        of.map(({ image, docker, sync }) => ({ image, target: docker.target, sync: sync?.manual }));
      expect(essence(build.artifacts)).toEqual(essence(artifacts));
    });

    it('renders every pod with the images that were built', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'zai2api-skaffold-'));
      const builds = artifacts.map(({ image }) => ({ imageName: image, tag: `registry.example.com/${image}:built` }));
      try {
        await writeFile(`${folder}/builds.json`, JSON.stringify({ builds }));
        // To a file: on its output it says other things, too.
        const output = `${folder}/rendered.yaml`;
        await skaffold(
          'render',
          profiles,
          `--build-artifacts=${folder}/builds.json`,
          '--offline=true',
          '--digest-source=none',
          `--output=${output}`,
        );
        const text = await readFile(output, 'utf8');
        const images = podsOf(parseObjects(text)).flatMap(({ pod }) => containersOf(pod).map(({ image }) => image));
        expect(images.length).toBeGreaterThan(4);
        expect(images.filter((image) => !image.endsWith(':built') && image !== 'redis:7')).toEqual([]);
      } finally {
        await rm(folder, { recursive: true });
      }
    });
  },
);
