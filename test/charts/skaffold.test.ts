import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { startFakeUpstream } from '../fake-upstream/index.ts';
import { freePort } from './support/free-port.ts';
import { containersOf, objectOf, podsOf, type KubernetesObject } from './support/kubernetes-objects.ts';
import { parseObjects } from './support/render-chart.ts';
import { runTool, runToolOrThrow } from './support/run-tool.ts';
import {
  profileCombinations,
  readSkaffoldConfig,
  skaffoldText,
  type SkaffoldConfig,
} from './support/skaffold-config.ts';
import { validateObjects } from './support/validate-objects.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const dockerfile = readFileSync(`${root}services/Dockerfile`, 'utf8');

/** What the chart gives with the values of a configuration, each image under its name there. */
async function renderRelease({ deploy }: SkaffoldConfig): Promise<string> {
  const [release] = deploy.helm.releases;
  const values = release.valuesFiles.map((file) => `--values=${root}${file}`);
  const images = Object.entries(release.setValueTemplates).map(([path, template]) => {
    const [, what = '', image = ''] = /^\{\{\.IMAGE_(REPO|TAG)_(\w+)\}\}$/.exec(template) ?? [];
    return `--set=${path}=${what === 'REPO' ? image : 'built'}`;
  });
  return runToolOrThrow('helm', [
    'template',
    'zai2api',
    `${root}${release.chartPath}`,
    '--namespace=zai2api',
    '--kube-version=1.37.0',
    ...values,
    ...images,
  ]);
}

const nameInTemplate = (image: string): string => image.replaceAll(/[/-]/g, '_');

describe.each(profileCombinations.map((profiles) => ({ profiles, name: profiles.join(' and ') || 'none' })))(
  'skaffold with the profiles: $name',
  ({ profiles }) => {
    const config = readSkaffoldConfig(...profiles);

    it('is valid by its published schema', async () => {
      const { valid, faults } = await validateObjects(JSON.stringify(config), '1.37.0');
      expect({ valid, faults }).toEqual({ valid: 1, faults: [] });
    });

    it('deploys every image that it builds, and no other of ours', async () => {
      const objects = parseObjects(await renderRelease(config));
      const raw = config.manifests?.rawYaml.flatMap((file) => parseObjects(readFileSync(root + file, 'utf8'))) ?? [];
      const images = (of: readonly KubernetesObject[]): string[] =>
        podsOf(of).flatMap(({ pod }) => containersOf(pod).map(({ image }) => image));
      const used = new Set([
        ...images(objects).map((image) => image.replace(/:built$/, '')),
        ...images(raw).map(nameInTemplate),
      ]);
      const built = config.build.artifacts.map(({ image }) => nameInTemplate(image));
      expect([...used].filter((image) => !image.startsWith('redis')).sort()).toEqual(built.sort());
    });

    it('gives objects that Kubernetes takes', async () => {
      const raw = (config.manifests?.rawYaml ?? []).map((file) => readFileSync(root + file, 'utf8'));
      const { valid, faults } = await validateObjects([await renderRelease(config), ...raw].join('\n---\n'), '1.37.0');
      expect(faults).toEqual([]);
      expect(valid).toBeGreaterThan(15);
    });

    it('builds from stages that the Dockerfile has, and copies files that there are', () => {
      for (const { docker, sync } of config.build.artifacts) {
        expect(docker.dockerfile).toBe('services/Dockerfile');
        expect(dockerfile).toMatch(new RegExp(`^FROM .* AS ${docker.target ?? 'service'}$`, 'm'));
        if (docker.buildArgs)
          expect(existsSync(`${root}services/${docker.buildArgs['SERVICE']!}/src/main.ts`)).toBe(true);
        for (const { src } of sync?.manual ?? []) expect(globSync(src, { cwd: root }).length).toBeGreaterThan(5);
      }
    });
  },
);

it('what the comment of skaffold.yaml calls profiles are all', () => {
  const { profiles } = parse(skaffoldText) as SkaffoldConfig;
  expect(profiles.map(({ name }) => name)).toEqual(['sources', 'fake', 'chaos']);
});

describe('what a pod of `skaffold dev` runs', () => {
  it.each(['gateway', 'chat-translator', 'token-refresher'])('starts the %s from its sources', async (service) => {
    const objects = parseObjects(await renderRelease(readSkaffoldConfig('sources', 'fake')));
    const { pod } = podsOf(objects).find(({ owner }) => owner === `Deployment zai2api-${service}`)!;
    const { command = [], args = [], env = [] } = pod.spec.containers[0]!;
    expect(command[0]).toBe('node');
    const given = Object.fromEntries(env.map(({ name, value }) => [name, value ?? 'a-secret-of-the-release']));
    const local = {
      ZAI_ADMIN_HOST: '127.0.0.1',
      ZAI_ADMIN_PORT: '0',
      ZAI_HOST: '127.0.0.1',
      ZAI_PORT: '0',
      ZAI_TRANSLATOR_HOST: '127.0.0.1',
      ZAI_TRANSLATOR_PORT: '0',
      REDIS_URL: `redis://127.0.0.1:${await freePort()}`,
    };
    const child = spawn(process.execPath, [...command.slice(1), ...args], {
      cwd: root,
      env: { PATH: process.env['PATH'], ...given, ...local },
      stdio: ['ignore', 'pipe', 'inherit'],
      // A group of its own: the watcher has a child.
      detached: true,
    });
    const gone = once(child, 'close');
    try {
      const said: string[] = [];
      for await (const line of createInterface({ input: child.stdout })) {
        said.push(line);
        if (line.includes('"msg":"started"')) break;
      }
      expect(said.join('\n')).toContain('"msg":"started"');
    } finally {
      process.kill(-child.pid!, 'SIGKILL');
      await gone;
    }
  });
});

describe('chaos', () => {
  const objects = parseObjects(readFileSync(`${root}deploy/skaffold/chaos.yaml`, 'utf8'));
  const { data } = objectOf(objects, 'ConfigMap', 'chaos');

  it('brings every fault onto the simulator, and takes it back', async () => {
    const upstream = await startFakeUpstream();
    try {
      const faults = data!['upstream.mjs']!.match(/^ +\['.*'\],?$|^ +\['.*\}\],$/gm)!.length;
      const { code, stdout } = await runTool(
        process.execPath,
        ['--input-type=module', '--eval', data!['upstream.mjs']!],
        {
          env: { FAKE_UPSTREAM_URL: upstream.url, CHAOS_SECONDS: '0', CHAOS_TURNS: String(faults) },
        },
      );
      const lines = stdout.trim().split('\n');
      expect({ code, faults: lines.filter((line) => line !== 'now: calm').length }).toEqual({ code: 0, faults });
      expect(lines).toHaveLength(2 * faults);
      expect(faults).toBeGreaterThan(10);
    } finally {
      await upstream.close();
    }
  });

  it('has a shell script that the shell can read', async () => {
    expect(await runTool('sh', ['-n'], { input: data!['redis.sh']! })).toMatchObject({ code: 0, stderr: '' });
  });
});
