import { spawn } from 'node:child_process';
import { buffer } from 'node:stream/consumers';

/** How a tool ended, and what it said. */
export interface ToolRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const DEADLINE_MS = 50_000;
const HINT = 'is not on the PATH: .ci/charts installs it and runs these tests';

/** Runs one of the chart tools to its end. Throws with a hint when it is not installed, never for what it answers. */
export async function runTool(
  name: string,
  args: readonly string[],
  options: { readonly input?: string; readonly env?: Readonly<Record<string, string>>; readonly cwd?: string } = {},
): Promise<ToolRun> {
  const child = spawn(name, args, {
    stdio: 'pipe',
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    signal: AbortSignal.timeout(DEADLINE_MS),
  });
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', (error) =>
      reject('code' in error && error.code === 'ENOENT' ? new Error(`${name} ${HINT}.`, { cause: error }) : error),
    );
    child.once('close', (code) => resolve(code ?? -1));
  });
  // A tool may end before it has read everything; its exit code says what that means.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  const [code, stdout, stderr] = await Promise.all([ended, buffer(child.stdout), buffer(child.stderr)]);
  return { code, stdout: stdout.toString(), stderr: stderr.toString() };
}

/** Its standard output. Throws when it fails. */
export async function runToolOrThrow(...parameters: Parameters<typeof runTool>): Promise<string> {
  const { code, stdout, stderr } = await runTool(...parameters);
  if (code !== 0) throw new Error(`${parameters[0]} ended with ${code}: ${stderr || stdout}`);
  return stdout;
}
