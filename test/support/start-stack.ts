import { createLogger } from '@zai2api/runtime';
import { createStandalone, loadStandaloneSettings, type StandaloneOptions } from '@zai2api/standalone';
import { startFakeUpstream, type FakeUpstream, type FakeUpstreamSettings } from '../fake-upstream/index.ts';

/** One line of the product's log. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly level: string; readonly msg: string };

/** The whole product in this process, in front of a fake upstream. `await using` closes it. */
export interface Stack extends AsyncDisposable {
  /** Public address, without a trailing slash. */
  readonly url: string;
  readonly adminUrl: string;
  readonly upstream: FakeUpstream;
  /** Every line that was logged so far, at any level. */
  logLines(): readonly LogLine[];
  /** The same lines as they were written. */
  logText(): string;
  /** The sum of all samples of a metric whose labels contain the given ones; 0 when there is none. */
  metric(name: string, labels?: Readonly<Record<string, string>>): Promise<number>;
  /** Stops the product, then the upstream. Idempotent. */
  close(): Promise<void>;
}

type Environment = Readonly<Record<string, string>>;

export interface StackOptions {
  /** On top of the test's own defaults: free ports, loopback, event order checked. A function may prepare the upstream first. */
  readonly env?: Environment | ((upstream: FakeUpstream) => Environment);
  /** Lets attachments be fetched from these hosts of the test, which are not public. */
  readonly mediaGuard?: StandaloneOptions['mediaGuard'];
  /** How the fake upstream starts. */
  readonly upstream?: Partial<FakeUpstreamSettings>;
}

/** Starts both and resolves when the public port answers; rejects when the product cannot start. */
export async function startStack({ env = {}, mediaGuard, upstream: settings = {} }: StackOptions = {}): Promise<Stack> {
  const upstream = await startFakeUpstream({ settings });
  const written: string[] = [];
  const logger = createLogger(
    { name: 'test', level: 'trace', format: 'json' },
    { write: (line: string) => void written.push(line) },
  );
  const standalone = createStandalone(
    loadStandaloneSettings({
      ZAI_API_BASE: upstream.url,
      // Used as soon as a test sets a key.
      ZAI_PLATFORM_BASE: `${upstream.url}/api/paas/v4`,
      ZAI_HOST: '127.0.0.1',
      ZAI_PORT: '0',
      ZAI_ADMIN_HOST: '127.0.0.1',
      ZAI_ADMIN_PORT: '0',
      ZAI_SHUTDOWN_TIMEOUT: '2',
      // Holds every stream to the order rules of its events.
      ZAI_DEBUG_MODE: 'true',
      ...(typeof env === 'function' ? env(upstream) : env),
    }),
    { logger, ...(mediaGuard && { mediaGuard }) },
  );
  const running = standalone.run();
  const { url, adminUrl } = await Promise.race([standalone.listening, neverResolves(running)]).catch(
    async (reason: unknown) => {
      await upstream.close();
      throw reason;
    },
  );

  let closing: Promise<void> | undefined;
  async function closeBoth(): Promise<void> {
    await standalone.stop();
    await running;
    await upstream.close();
  }
  const close = (): Promise<void> => (closing ??= closeBoth());

  return {
    url,
    adminUrl,
    upstream,
    logLines: () => written.map((line) => JSON.parse(line) as LogLine),
    logText: () => written.join(''),
    async metric(name, labels = {}) {
      const text = await (await fetch(`${adminUrl}/metrics`)).text();
      return sumSamples(text, name, labels);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Its failure, but never its end. */
function neverResolves(running: Promise<void>): Promise<never> {
  return running.then(() => new Promise<never>(() => undefined));
}

function sumSamples(text: string, name: string, labels: Readonly<Record<string, string>>): number {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .filter((line) => wanted.every((part) => line.includes(part)))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
