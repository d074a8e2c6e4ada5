import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface CliPackage {
  readonly name: string;
  /** Exact: a newer one may behave differently, and that is worth a change of its own. */
  readonly version: string;
  /** Name of its command. */
  readonly bin: string;
}

const run = promisify(execFile);
const INSTALL_TIMEOUT_MS = 300_000;

/**
 * The path of a command line client out of npm, installed into a cache of this machine: hundreds of megabytes that no clone of this
 * repository should carry. Safe to be called by several processes at once.
 */
export async function installCli({ name, version, bin }: CliPackage): Promise<string> {
  const cache = join(tmpdir(), 'zai2api-cli');
  const home = join(cache, `${name.replaceAll(/[^A-Za-z0-9.-]+/g, '_')}@${version}`);
  const command = join(home, 'node_modules', '.bin', bin);
  if (existsSync(command)) return command;
  await mkdir(cache, { recursive: true });
  const draft = await mkdtemp(`${home}.`);
  try {
    // Without this npm leaves out the install script that puts the program of this platform in its place.
    await writeFile(join(draft, 'package.json'), JSON.stringify({ private: true, allowScripts: { [name]: true } }));
    await run('npm', ['install', '--no-fund', '--no-audit', '--save-exact', `${name}@${version}`], {
      cwd: draft,
      timeout: INSTALL_TIMEOUT_MS,
    });
    await rename(draft, home).catch((reason: unknown) => {
      // Somebody else was faster.
      if (!existsSync(command)) throw reason;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  if (!existsSync(command)) throw new Error(`${name}@${version} has no command ${bin}.`);
  return command;
}
