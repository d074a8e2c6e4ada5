import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { runCommand, tryCommand } from './run-command.ts';

/** What `docker inspect` says of a container or an image, as far as the tests look. */
export interface Inspected {
  readonly Id: string;
  readonly Name: string;
  readonly Size: number;
  readonly State: {
    readonly Status: string;
    readonly ExitCode: number;
    readonly Health?: { readonly Status: string };
  };
  readonly Config: {
    readonly User: string;
    readonly Env: readonly string[];
    readonly Labels: Readonly<Record<string, string>>;
    readonly Healthcheck?: { readonly Test: readonly string[] };
  };
  readonly HostConfig: {
    readonly ReadonlyRootfs: boolean;
    readonly CapDrop: readonly string[] | null;
    readonly SecurityOpt: readonly string[] | null;
    readonly Memory: number;
    readonly NanoCpus: number;
    readonly PidsLimit: number | null;
    readonly LogConfig: { readonly Type: string; readonly Config: Readonly<Record<string, string>> };
    readonly RestartPolicy: { readonly Name: string };
  };
  readonly NetworkSettings: {
    readonly Networks: Readonly<Record<string, { readonly IPAddress: string }>>;
    readonly Ports: Readonly<Record<string, readonly { readonly HostIp: string; readonly HostPort: string }[] | null>>;
  };
}

/** Gives what Docker knows of containers or images, in the order of their names. */
export async function inspect(...names: readonly string[]): Promise<Inspected[]> {
  return JSON.parse(await runCommand('docker', ['inspect', ...names])) as Inspected[];
}

/** The address of a container in its network. */
export function addressOf({ Name, NetworkSettings }: Inspected): string {
  const address = Object.values(NetworkSettings.Networks)[0]?.IPAddress;
  if (!address) throw new Error(`${Name} has no address.`);
  return address;
}

/**
 * A PATH on which `docker compose` works: as Docker's own plugin, else by the `docker-compose` beside it. DEPLOYMENT_COMPOSE names another
 * one. `close` removes what that took.
 */
export async function composePath(): Promise<{ path: string; version: string; close(): Promise<void> }> {
  const path = process.env['PATH'] ?? '';
  const plugin = await tryCommand('docker', ['compose', 'version', '--short']);
  const wanted = process.env['DEPLOYMENT_COMPOSE'];
  if (wanted === undefined && plugin.code === 0) {
    return { path, version: plugin.stdout.trim(), close: () => Promise.resolve() };
  }
  const binary = wanted ?? 'docker-compose';
  const version = (await runCommand(binary, ['version', '--short'])).trim();
  const folder = await mkdtemp(join(tmpdir(), 'docker-'));
  const docker = (await runCommand('sh', ['-c', 'command -v docker'])).trim();
  const script = `#!/bin/sh\nif [ "$1" = compose ]; then shift; exec ${binary} "$@"; fi\nexec ${docker} "$@"\n`;
  await writeFile(join(folder, 'docker'), script);
  await chmod(join(folder, 'docker'), 0o755);
  return {
    path: `${folder}${delimiter}${path}`,
    version,
    close: () => rm(folder, { recursive: true, force: true }),
  };
}
