import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly cwd?: string;
  /** On top of the environment of the test. */
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** It is killed then. */
  readonly withinMs?: number;
}

/** Runs a command to its end, whatever its exit code. */
export async function tryCommand(
  command: string,
  words: readonly string[],
  { cwd, env, input = '', withinMs = 600_000 }: CommandOptions = {},
): Promise<CommandResult> {
  const child = spawn(command, words, {
    cwd,
    env: { ...process.env, ...env },
    signal: AbortSignal.timeout(withinMs),
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  // A command that does not read its input is none the worse.
  child.stdin.on('error', () => undefined).end(input);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

/** Runs a command and gives what it printed; throws with everything that it said when it fails. */
export async function runCommand(command: string, words: readonly string[], options?: CommandOptions): Promise<string> {
  const { code, stdout, stderr } = await tryCommand(command, words, options);
  if (code !== 0)
    throw new Error(
      `${command} ${words.join(' ')} ended with ${String(code)}:\n${stdout.slice(-2_000)}\n${stderr.slice(-4_000)}`,
    );
  return stdout;
}
