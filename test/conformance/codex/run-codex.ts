import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installCli } from '../cli/install-cli.ts';

/** The client as it was when the contract was written (contract 2.9). */
const codex = { name: '@openai/codex', version: '0.169.0', bin: 'codex' } as const;
const TIMEOUT_MS = 90_000;

export interface CodexRun {
  readonly prompt: string;
  /** Base of the product, without `/v1`. */
  readonly url: string;
  readonly key: string;
  readonly model: string;
  readonly usesWebSocket: boolean;
  /** Files of the directory in which it works. */
  readonly files?: Readonly<Record<string, string>>;
}

export interface CodexResult {
  readonly code: number | null;
  /** Its last message; empty when there was none. */
  readonly text: string;
  /** What it says while it works. */
  readonly stderr: string;
}

/** Runs Codex headless in a home and a directory of its own, which are gone afterwards. */
export async function runCodex({ prompt, url, key, model, usesWebSocket, files = {} }: CodexRun): Promise<CodexResult> {
  const command = await installCli(codex);
  const home = await mkdtemp(join(tmpdir(), 'zai2api-codex-'));
  const workspace = join(home, 'work');
  const lastMessage = join(home, 'last-message');
  await mkdir(workspace);
  for (const [name, text] of Object.entries(files)) await writeFile(join(workspace, name), text);
  await writeFile(join(home, 'config.toml'), configOf(url, model, usesWebSocket));
  // The directory is its sandbox: on machines without user namespaces it has none of its own.
  const flags = ['--skip-git-repo-check', '--dangerously-bypass-approvals-and-sandbox', '--output-last-message'];
  try {
    const child = spawn(command, ['exec', ...flags, lastMessage, prompt], {
      cwd: workspace,
      env: { PATH: process.env['PATH'] ?? '', HOME: home, CODEX_HOME: home, ZAI_KEY: key, RUST_LOG: 'error' },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: TIMEOUT_MS,
      killSignal: 'SIGKILL',
    });
    let stderr = '';
    child.stdout.resume();
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const [code] = (await once(child, 'close')) as [number | null];
    const text = await readFile(lastMessage, 'utf8').catch(() => '');
    return { code, text, stderr };
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

/** As docs/clients.md tells users. */
function configOf(url: string, model: string, usesWebSocket: boolean): string {
  return `model = ${JSON.stringify(model)}
model_provider = "zai"

[model_providers.zai]
name = "zai2api"
base_url = "${url}/v1"
env_key = "ZAI_KEY"
wire_api = "responses"
supports_websockets = ${usesWebSocket}
`;
}
