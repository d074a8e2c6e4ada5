import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand } from './run-command.ts';

/** A clone of what is committed here, with an origin that can be pulled from. `await using` removes both. */
export interface WorkCopy extends AsyncDisposable {
  readonly folder: string;
  /** The bare repository. */
  readonly origin: string;
}

const repository = fileURLToPath(new URL('../../../', import.meta.url));

/** As somebody gets it who clones the project. */
export async function cloneRepository(): Promise<WorkCopy> {
  const parent = await mkdtemp(join(tmpdir(), 'zai2api-'));
  const origin = join(parent, 'origin.git');
  const folder = join(parent, 'zai2api');
  await runCommand('git', ['init', '--quiet', '--bare', '--initial-branch=main', origin]);
  await runCommand('git', ['push', '--quiet', origin, 'HEAD:refs/heads/main'], { cwd: repository });
  await runCommand('git', ['clone', '--quiet', origin, folder]);
  return { folder, origin, [Symbol.asyncDispose]: () => rm(parent, { recursive: true, force: true }) };
}
