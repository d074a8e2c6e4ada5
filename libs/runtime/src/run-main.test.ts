import { execFile } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';

const index = new URL('./index.ts', import.meta.url).href;

function runScript(main: string): Promise<{ code: unknown; stdout: string; stderr: string }> {
  const script = `import { createRuntime, runMain, parseSettings, runtimeSettings } from ${JSON.stringify(index)}; await runMain(async () => { ${main} });`;
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--conditions=@zai2api/source', '--input-type=module', '--eval', script],
      { timeout: 20_000 },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : error.code, stdout, stderr }),
    );
  });
}

describe('runMain', () => {
  it('exits 0 after the ordered stop that a signal asked for', async () => {
    const { code, stdout } = await runScript(`
      const settings = parseSettings(runtimeSettings, { ZAI_ADMIN_PORT: '0' });
      const runtime = createRuntime({ name: 'test', version: '1', settings });
      runtime.onStop('stores', 'redis', async () => { runtime.logger.info('closed redis'); });
      await runtime.run(async () => { setImmediate(() => process.kill(process.pid, 'SIGTERM')); });`);
    expect(stdout).toContain('closed redis');
    expect(code).toBe(0);
  }, 30_000);

  it('exits 78 with all faults of the configuration', async () => {
    const { code, stderr } = await runScript(
      `parseSettings(runtimeSettings, { ZAI_ADMIN_PORT: 'abc', ZAI_LOG_LEVEL: 'loud' });`,
    );
    expect(code).toBe(78);
    expect(stderr).toContain('ZAI_ADMIN_PORT: expected an integer from 0 to 65535, got "abc"');
    expect(stderr).toContain('ZAI_LOG_LEVEL: expected one of');
  }, 30_000);

  it('exits 1 with a log line for anything else, also for what nobody caught', async () => {
    const [thrown, uncaught] = await Promise.all([
      runScript(`throw new Error('first');`),
      runScript(
        `setImmediate(() => { throw new Error('second'); }); await new Promise((resolve) => setTimeout(resolve, 10_000));`,
      ),
    ]);
    expect(thrown).toMatchObject({ code: 1, stdout: expect.stringContaining('"message":"first"') });
    expect(uncaught).toMatchObject({ code: 1, stdout: expect.stringContaining('"message":"second"') });
  }, 30_000);
});
