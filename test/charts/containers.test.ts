import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { waitFor } from '../support/wait-for.ts';
import { runPod, startPod, type DockerPlace } from './support/docker-pod.ts';
import { objectOf, podsOf, type Pod } from './support/kubernetes-objects.ts';
import { parseObjects, render } from './support/render-chart.ts';
import { runTool, runToolOrThrow } from './support/run-tool.ts';

const DEADLINE_MS = 40_000;
const fakeUpstream = readFileSync(new URL('../../deploy/skaffold/fake-upstream.yaml', import.meta.url), 'utf8');

/** Each rendered pod as a container of the real image, as restricted as a cluster would run it. Needs Docker: `.ci/charts-in-docker`. */
describe('the pods of the default release, as containers', () => {
  const started = new Map<string, { readonly id: string; readonly address: string }>();
  let place: DockerPlace;

  const podOf = (owner: string): Pod => podsOf(place.objects).find((one) => one.owner === owner)!.pod;
  const addressOf = (owner: string): string => started.get(owner)!.address;
  const services = ['gateway', 'chat-translator', 'token-refresher'].map((name) => `Deployment zai2api-${name}`);

  beforeAll(async () => {
    const network = `zai2api-chart-${randomUUID().slice(0, 8)}`;
    const folder = await mkdtemp(join(tmpdir(), 'zai2api-pods-'));
    // Other users than the one of this test read what is mounted.
    await chmod(folder, 0o755);
    const [release] = await Promise.all([
      render({
        values: {
          'defaults.streamSeconds': 10,
          'defaults.settings.ZAI_API_BASE': 'http://fake-upstream:9099',
          'defaults.image.tag': process.env['CHART_IMAGE_TAG'] ?? 'latest',
        },
      }),
      runToolOrThrow('docker', ['network', 'create', network]),
    ]);
    const simulator = parseObjects(fakeUpstream);
    place = { network, folder, objects: [...release, ...simulator] };
    for (const owner of ['Deployment fake-upstream', 'StatefulSet zai2api-redis', ...services]) {
      const pod = podOf(owner);
      // Kubernetes takes the group of the image's user when none is named.
      const securityContext = { runAsGroup: pod.spec.securityContext?.runAsUser, ...pod.spec.securityContext };
      started.set(owner, await startPod(place, { ...pod, spec: { ...pod.spec, securityContext } }));
    }
  });

  afterAll(async () => {
    for (const { id } of started.values()) await runTool('docker', ['rm', '--force', id]);
    await runTool('docker', ['network', 'rm', place.network]);
    await rm(place.folder, { recursive: true });
  });

  it.each(services)('%s is ready by its own probes', async (owner) => {
    const [container] = podOf(owner).spec.containers;
    const { startupProbe, livenessProbe, readinessProbe } = container!;
    for (const probe of [startupProbe, livenessProbe, readinessProbe]) {
      const { path } = probe!.httpGet!;
      const isGood = async (): Promise<boolean> => (await fetch(`http://${addressOf(owner)}:9464${path}`)).ok;
      await waitFor(isGood, { withinMs: DEADLINE_MS, what: `${owner} ${path}` });
    }
  });

  it('the test of the release passes', async () => {
    const { code, stdout } = await runPod(place, podOf('Pod zai2api-test'));
    expect({ code, ok: stdout.match(/^ok /gm)?.length }).toEqual({ code: 0, ok: 3 });
  });

  it('a question is answered, streamed, by a guest token from Redis', async () => {
    const { data } = objectOf(place.objects, 'Secret', 'zai2api-generated');
    const response = await fetch(`http://${addressOf('Deployment zai2api-gateway')}:8080/v1/chat/completions`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${Buffer.from(data!['api-keys']!, 'base64').toString()}`,
      },
      body: JSON.stringify({ model: 'glm-4.7', stream: true, messages: [{ role: 'user', content: 'hi' }] }),
    });
    const text = await response.text();
    expect([response.status, text.includes('Hello'), text.trim().endsWith('data: [DONE]')]).toEqual([200, true, true]);
  });

  it('nobody is root, and nothing but volumes can be written', async () => {
    for (const owner of [...services, 'StatefulSet zai2api-redis']) {
      const run = await runTool('docker', [
        'exec',
        started.get(owner)!.id,
        'sh',
        '-c',
        'id -u; touch /root-was-here 2>/dev/null || touch /app/x 2>/dev/null || echo refused; touch /tmp/x && echo written',
      ]);
      const [user, root, tmp] = run.stdout.trim().split('\n');
      expect({ owner, isRoot: user === '0', root, tmp }).toEqual({
        owner,
        isRoot: false,
        root: 'refused',
        tmp: 'written',
      });
    }
  });

  it('the password of Redis is not in the list of processes', async () => {
    const { data } = objectOf(place.objects, 'Secret', 'zai2api-generated');
    const listed = await runToolOrThrow('docker', [
      'top',
      started.get('StatefulSet zai2api-redis')!.id,
      '-eo',
      'pid,args',
    ]);
    expect(listed).toContain('redis-server');
    expect(listed).not.toContain(Buffer.from(data!['redis-password']!, 'base64').toString());
  });

  it.each([...services, 'StatefulSet zai2api-redis'])('%s stops well within its grace period', async (owner) => {
    const { id } = started.get(owner)!;
    const grace = podOf(owner).spec.terminationGracePeriodSeconds!;
    await runToolOrThrow('docker', ['stop', `--time=${grace}`, id]);
    // 137 would be a kill at its end.
    expect(await runToolOrThrow('docker', ['inspect', '--format={{.State.ExitCode}}', id])).toBe('0\n');
  });
});
