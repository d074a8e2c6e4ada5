import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { scenario } from '../support/chat-client.ts';
import { waitFor } from '../support/wait-for.ts';
import { blocksOf } from './support/documented-blocks.ts';
import { runCommand, tryCommand, type CommandResult } from './support/run-command.ts';
import { cloneRepository, type WorkCopy } from './support/work-copy.ts';

/**
 * docs/deployment.md on a server without containers: a Debian that systemd has booted, with the commands of the page as root. The server is
 * itself a container, with the rights that systemd needs to take rights away from others.
 */
const PAGE = 'docs/deployment.md';
const unit = fileURLToPath(new URL('../../deploy/zai2api.service', import.meta.url));
const base = process.env['NODE_IMAGE'] ?? 'node:24-bookworm-slim';
const server = `FROM ${base}
RUN apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \\
      systemd git nginx-light curl openssl ca-certificates >/dev/null
STOPSIGNAL SIGRTMIN+3
ENTRYPOINT ["/lib/systemd/systemd"]
`;
const rights = ['SYS_ADMIN', 'SYS_NICE', 'SYS_PTRACE', 'SYSLOG', 'DAC_READ_SEARCH'];

let clone: WorkCopy;
let host = '';

const onHost = (text: string): Promise<CommandResult> =>
  tryCommand('docker', ['exec', '--env', 'REPOSITORY=/repository', host, 'bash', '-euo', 'pipefail', '-c', text]);

async function sh(text: string): Promise<string> {
  const { code, stdout, stderr } = await onHost(text);
  if (code !== 0) throw new Error(`It ended with ${String(code)}:\n${stdout.slice(-2_000)}\n${stderr.slice(-4_000)}`);
  return stdout;
}

/** The commands of a chapter, typed into one shell. */
const runChapter = (chapter: string): Promise<string> =>
  sh(['mkdir -p /opt', ...blocksOf(PAGE, chapter, 'host').map(({ text }) => text)].join('\n'));

beforeAll(async () => {
  clone = await cloneRepository();
  await runCommand('docker', ['build', '--quiet', '--tag', 'zai2api/host:test', '-'], { input: server });
  const cache = (await runCommand('npm', ['config', 'get', 'cache'])).trim();
  host = (
    await runCommand('docker', [
      ...['run', '--detach', '--tmpfs', '/run', '--tmpfs', '/run/lock', '--tmpfs', '/tmp:exec'],
      ...rights.flatMap((right) => ['--cap-add', right]),
      ...['--security-opt', 'seccomp=unconfined', '--security-opt', 'apparmor=unconfined'],
      ...['--volume', '/sys/fs/cgroup:/sys/fs/cgroup:rw', '--volume', `${clone.origin}:/repository:ro`],
      // Packages that were fetched before are not fetched again.
      ...['--volume', `${cache}:/root/.npm`, 'zai2api/host:test'],
    ])
  ).trim();
  await waitFor(async () => /running|degraded/.test((await onHost('systemctl is-system-running')).stdout), {
    withinMs: 60_000,
    what: 'systemd',
  });
});

afterAll(async () => {
  if (host !== '') await runCommand('docker', ['rm', '--force', '--volumes', host]);
  await clone[Symbol.asyncDispose]();
});

describe('a server with systemd', () => {
  it('is installed by the commands of the page', async () => {
    const [install, ...rest] = [
      ...blocksOf(PAGE, 'Without containers', 'host'),
      ...blocksOf(PAGE, 'A server with systemd', 'host'),
    ].map(({ text }) => text);
    const output = await sh([install, rest[0]].join('\n'));
    expect(output).not.toMatch(/zai2api\.service:\d+/);
    await waitFor(async () => (await onHost('curl -fsS http://127.0.0.1:8080/health')).code === 0, {
      withinMs: 60_000,
    });
    const told = await sh(['cd /opt/zai2api', ...rest.slice(1)].join('\n'));
    expect(told).toContain('active (running)');
    expect(told.match(/"status":"ok"/g)).toHaveLength(2);
  });

  it('has a unit that systemd finds nothing to say about, and that gives away its rights', async () => {
    expect(await sh('systemd-analyze verify /etc/systemd/system/zai2api.service 2>&1')).toBe('');
    expect(await sh(`cmp /etc/systemd/system/zai2api.service - < /opt/zai2api/deploy/zai2api.service`)).toBe('');
    const security = await sh('systemd-analyze security --no-pager zai2api.service');
    const exposure = Number(/exposure level for zai2api.service: ([\d.]+)/.exec(security)?.[1]);
    console.log(`${unit.split('/').at(-1) ?? ''}: exposure ${exposure} of 10`);
    expect(exposure).toBeLessThan(2);
    const status = await sh('cat /proc/$(systemctl show --property MainPID --value zai2api)/status');
    expect(status).toMatch(/CapEff:\s+0+\n/);
    expect(status).toMatch(/NoNewPrivs:\s+1\n/);
    expect(status).toMatch(/Seccomp:\s+2\n/);
    expect(status).not.toMatch(/Uid:\s+0\b/);
  });

  it('keeps its key from everybody but root, and asks for it', async () => {
    expect(await sh('stat --format "%a %U" /etc/zai2api/zai2api.env')).toBe('600 root\n');
    expect(await sh('curl -s -o /dev/null -w "%{http_code}" http://127.0.0.1/v1/models')).toBe('401');
    const log = await sh('journalctl --no-pager --unit zai2api');
    const [, key = ''] = /ZAI_API_KEY=(sk-\w+)/.exec(await sh('cat /etc/zai2api/zai2api.env')) ?? [];
    expect(key).not.toBe('');
    expect(log).not.toContain(key);
  });

  it('streams through nginx, and finishes what runs when it is restarted', async () => {
    await sh(`
      systemd-run --quiet --unit fake-upstream --working-directory /opt/zai2api \\
        /opt/zai2api/node_modules/.bin/node --conditions=@zai2api/source test/fake-upstream/main.ts
      echo ZAI_API_BASE=http://127.0.0.1:9099 >> /etc/zai2api/zai2api.env
      systemctl restart zai2api`);
    const ask = (
      prompt: string,
    ): string => `. /etc/zai2api/zai2api.env && curl -fsSN http://127.0.0.1/v1/chat/completions \\
      -H "authorization: Bearer $ZAI_API_KEY" -H 'content-type: application/json' \\
      -d '${JSON.stringify({ model: 'glm-4.7-nothinking', stream: true, messages: [{ role: 'user', content: prompt }] })}'`;
    await waitFor(async () => (await onHost(ask('Hello!'))).stdout.includes('data: [DONE]'), { withinMs: 60_000 });
    const running = onHost(ask(scenario('slow frames=10 delay=500')));
    await waitFor(
      async () => /"scenario":\s*"slow/.test((await onHost('curl -fsS http://127.0.0.1:9099/__control/log')).stdout),
      { withinMs: 20_000 },
    );
    await sh('systemctl restart zai2api');
    const { stdout } = await running;
    expect(stdout).toContain('data: [DONE]');
    expect(stdout).not.toContain('"error"');
    expect(await sh('systemctl show --property Result zai2api')).toBe('Result=success\n');
  });

  it('does not try again with wrong settings', async () => {
    await sh('echo ZAI_QUEUE_SIZE=many >> /etc/zai2api/zai2api.env; systemctl restart zai2api || true');
    await waitFor(async () => (await onHost('systemctl is-failed zai2api')).stdout === 'failed\n', {
      withinMs: 30_000,
    });
    expect(await sh('systemctl show --property ExecMainStatus,NRestarts zai2api')).toBe(
      'NRestarts=0\nExecMainStatus=78\n',
    );
    expect(await sh('journalctl --no-pager --unit zai2api')).toContain('ZAI_QUEUE_SIZE: expected an integer');
    await sh(
      "sed -i '/ZAI_QUEUE_SIZE/d' /etc/zai2api/zai2api.env && systemctl reset-failed zai2api && systemctl start zai2api",
    );
  });

  it('is backed up, restored and updated by the commands of the page', async () => {
    await runChapter('Backup and restore');
    await runChapter('Updates and rollback');
    await waitFor(async () => (await onHost('curl -fsS http://127.0.0.1/health')).code === 0, { withinMs: 60_000 });
  });
});
