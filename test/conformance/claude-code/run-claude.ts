import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installCli } from '../cli/install-cli.ts';

/** The client as it was when the contract was written (contract 3.8). */
const claudeCode = { name: '@anthropic-ai/claude-code', version: '2.1.330', bin: 'claude' } as const;
const TIMEOUT_MS = 90_000;

export interface ClaudeRun {
  readonly prompt: (workspace: string) => string;
  readonly url: string;
  readonly key: string;
  /** Files of the directory in which it works. */
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
}

export interface ClaudeResult {
  readonly code: number | null;
  /** What it says at the end; undefined when it said nothing. */
  readonly text: string | undefined;
  readonly isError: boolean;
  readonly stderr: string;
}

/** Runs Claude Code headless in a home and a directory of its own, which are gone afterwards. */
export async function runClaude({ prompt, url, key, files = {}, env = {} }: ClaudeRun): Promise<ClaudeResult> {
  const command = await installCli(claudeCode);
  const home = await mkdtemp(join(tmpdir(), 'zai2api-claude-'));
  const workspace = join(home, 'work');
  await mkdir(workspace);
  for (const [name, text] of Object.entries(files)) await writeFile(join(workspace, name), text);
  try {
    const child = spawn(command, ['-p', prompt(workspace), '--output-format', 'json', '--max-turns', '5'], {
      cwd: workspace,
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: home,
        ANTHROPIC_BASE_URL: url,
        ANTHROPIC_AUTH_TOKEN: key,
        // Only what the product has to answer.
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
        DISABLE_TELEMETRY: '1',
        DISABLE_AUTOUPDATER: '1',
        DISABLE_ERROR_REPORTING: '1',
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: TIMEOUT_MS,
      killSignal: 'SIGKILL',
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const [code] = (await once(child, 'close')) as [number | null];
    const { result, is_error: isError } = readResult(stdout);
    return { code, text: result, isError: isError ?? true, stderr };
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

function readResult(stdout: string): { readonly result?: string; readonly is_error?: boolean } {
  try {
    return JSON.parse(stdout) as { result?: string; is_error?: boolean };
  } catch {
    return {};
  }
}
