import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { waitFor } from '../../support/wait-for.ts';
import { runCommand, tryCommand } from './run-command.ts';

/** The nginx that is shipped, in front of a gateway. `await using` removes it. */
export interface Nginx extends AsyncDisposable {
  /** Without a trailing slash; `https` with a certificate. */
  readonly url: string;
  readonly port: number;
  /** The one for plain HTTP, which with a certificate only leads to the other. */
  readonly plainPort: number;
  /** What it wrote to its output: the access log. */
  logs(): Promise<string>;
}

const deploy = fileURLToPath(new URL('../../../deploy/', import.meta.url));

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/**
 * The configuration as a host without containers has it, on free ports of loopback; with TLS where there is a certificate. `disk` is what it may
 * write, by default as much as in docker-compose.yml.
 */
export async function startNginx(
  gatewayPort: number,
  {
    tls,
    disk = '256m',
  }: { readonly tls?: { readonly certificate: string; readonly key: string } | undefined; readonly disk?: string } = {},
): Promise<Nginx> {
  const folder = await mkdtemp(join(tmpdir(), 'nginx-'));
  const site = tls ? 'nginx-tls.conf' : 'nginx.conf';
  const [port, tlsPort] = [await freePort(), await freePort()];
  for (const file of ['nginx-main.conf', site, 'nginx-proxy.conf', 'nginx-errors.conf'])
    await copyFile(join(deploy, file), join(folder, file));
  if (tls) {
    await mkdir(join(folder, 'ssl'));
    await copyFile(tls.certificate, join(folder, 'ssl/cert.pem'));
    await copyFile(tls.key, join(folder, 'ssl/key.pem'));
  }
  async function edit(file: string, ...pairs: readonly (readonly [string, string])[]): Promise<void> {
    let content = await readFile(join(folder, file), 'utf8');
    for (const [before, after] of pairs) {
      if (!content.includes(before)) throw new Error(`${file} lacks ${before}`);
      content = content.replace(before, after);
    }
    await writeFile(join(folder, file), content);
  }
  await edit(site, ['listen 80;', `listen 127.0.0.1:${port};`], ['listen [::]:80;', '']);
  if (tls) {
    await edit(
      site,
      ['listen 443 ssl http2;', `listen 127.0.0.1:${tlsPort} ssl http2;`],
      ['listen [::]:443 ssl http2;', ''],
    );
  }
  await edit('nginx-proxy.conf', ['gateway:8080', `127.0.0.1:${gatewayPort}`]);
  const container = (
    await runCommand('docker', [
      ...['run', '--detach', '--read-only', '--tmpfs', `/tmp:size=${disk}`, '--network', 'host'],
      ...['--volume', `${folder}:/etc/zai2api:ro`, 'nginx:1-bookworm', 'sh', '-c'],
      `ln -s /etc/zai2api/${site} /tmp/site.conf && exec nginx -c /etc/zai2api/nginx-main.conf -g 'daemon off;'`,
    ])
  ).trim();
  async function close(): Promise<void> {
    await runCommand('docker', ['rm', '--force', container]);
    await rm(folder, { recursive: true, force: true });
  }
  try {
    await waitFor(async () => (await fetch(`http://127.0.0.1:${port}/nginx-health`)).ok, { withinMs: 30_000 });
  } catch {
    const { stderr } = await tryCommand('docker', ['logs', container]);
    await close();
    throw new Error(`nginx does not answer:\n${stderr}`);
  }
  return {
    url: tls ? `https://127.0.0.1:${tlsPort}` : `http://127.0.0.1:${port}`,
    port: tls ? tlsPort : port,
    plainPort: port,
    logs: async () => (await tryCommand('docker', ['logs', container])).stdout,
    [Symbol.asyncDispose]: close,
  };
}
