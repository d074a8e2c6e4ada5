import { setTimeout as wait } from 'node:timers/promises';
import { startProcess, urlOf, type ServiceProcess } from '../support/start-process.ts';

/** One process of a translator, from its start to its end. Times are of `performance.now()`. */
export interface Translator {
  /** Undefined until it listens. */
  url: string | undefined;
  killedAtMs: number | undefined;
  /** When it stood still; the last one may still last. */
  readonly freezes: { readonly fromMs: number; toMs: number }[];
}

/** A fixed number of translators, each of which is replaced when it is killed. */
export interface TranslatorFleet {
  /** Those that a balancer would send to: they listen and do not stand still. */
  serving(): readonly Translator[];
  /** `kill -9`, and another one in its place after a while. */
  replace(translator: Translator, afterMs: number): void;
  /** SIGSTOP, and SIGCONT after a while. */
  freeze(translator: Translator, forMs: number): void;
  /** Resolves when every place has a translator that serves. */
  allServing(): Promise<void>;
  close(): Promise<void>;
}

const POLL_MS = 50;
const STARTS_AT_ONCE = 3;

/** Starts them, a few at a time: they share the CPUs with what they are tested by. */
export async function startTranslatorFleet(
  size: number,
  env: Readonly<Record<string, string>>,
): Promise<TranslatorFleet> {
  const processes = new Map<Translator, ServiceProcess>();
  const closing = new AbortController();
  const tasks = new Set<Promise<void>>();

  async function start(): Promise<void> {
    const translator: Translator = { url: undefined, killedAtMs: undefined, freezes: [] };
    const started = startProcess('chat-translator', env);
    processes.set(translator, started);
    translator.url = urlOf(await started.listening);
  }

  function inBackground(task: () => Promise<void>): void {
    const running = task()
      // Left undone when everything ends.
      .catch((reason: unknown) => {
        if (!closing.signal.aborted) throw reason;
      })
      .finally(() => tasks.delete(running));
    tasks.add(running);
  }

  const isFrozen = ({ freezes }: Translator): boolean => (freezes.at(-1)?.toMs ?? 0) === Infinity;
  const serving = (): Translator[] => [...processes.keys()].filter((each) => each.url !== undefined && !isFrozen(each));

  // Whatever ends this process in an orderly way: nothing that was started stays behind.
  const killAll = (): void => processes.forEach((each) => each.kill('SIGKILL'));
  process.once('exit', killAll);
  const places = Array.from({ length: size });
  while (places.length > 0) await Promise.all(places.splice(0, STARTS_AT_ONCE).map(start));

  return {
    serving,
    replace(translator, afterMs) {
      const victim = processes.get(translator);
      if (!victim) return;
      translator.killedAtMs = performance.now();
      processes.delete(translator);
      inBackground(async () => {
        await victim.close();
        await wait(afterMs, undefined, { signal: closing.signal });
        await start();
      });
    },
    freeze(translator, forMs) {
      const victim = processes.get(translator);
      if (!victim || isFrozen(translator)) return;
      const freeze = { fromMs: performance.now(), toMs: Infinity };
      translator.freezes.push(freeze);
      victim.kill('SIGSTOP');
      inBackground(async () => {
        await wait(forMs, undefined, { signal: closing.signal });
        freeze.toMs = performance.now();
        victim.kill('SIGCONT');
      });
    },
    async allServing() {
      while (serving().length < size) await wait(POLL_MS);
    },
    async close() {
      closing.abort();
      await Promise.allSettled(tasks);
      await Promise.all([...processes.values()].map((each) => each.close()));
      process.off('exit', killAll);
    },
  };
}
