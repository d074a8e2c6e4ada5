import { setTimeout as wait } from 'node:timers/promises';
import { scenario } from '../../support/chat-client.ts';

export interface LoadResult {
  readonly completed: number;
  /** What went wrong, with its time. */
  readonly broken: readonly string[];
  readonly slowestMs: number;
}

export interface StreamLoad {
  /** No further streams begin; resolves when the running ones are over. */
  stop(): Promise<LoadResult>;
}

/** Keeps so many streams open at a time, each of them whole or counted as broken, and begins a new one behind each. */
export function startStreams(options: {
  readonly url: string;
  readonly key: string;
  readonly atATime: number;
  /** Words, and the pause behind each. */
  readonly frames: number;
  readonly delayMs: number;
}): StreamLoad {
  const { url, key, atATime, frames, delayMs } = options;
  const stopped = new AbortController();
  const broken: string[] = [];
  let completed = 0;
  let slowestMs = 0;

  function note(what: string): void {
    broken.push(`${new Date().toISOString()} ${what}`);
  }

  async function streamOnce(): Promise<void> {
    const startedAtMs = performance.now();
    try {
      const response = await fetch(`${url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
        body: JSON.stringify({
          model: 'glm-4.7-nothinking',
          stream: true,
          messages: [{ role: 'user', content: scenario(`slow frames=${frames} delay=${delayMs}`) }],
        }),
      });
      const text = await response.text();
      if (response.status !== 200) note(`${response.status} ${text.slice(0, 300)}`);
      else if (!text.endsWith('data: [DONE]\n\n') || text.includes('"error"')) note(`cut: ${text.slice(-300)}`);
      else completed++;
    } catch (reason) {
      const cause = reason instanceof Error ? (reason.cause ?? reason) : reason;
      note(`failed: ${String(cause)}`);
    }
    slowestMs = Math.max(slowestMs, performance.now() - startedAtMs);
  }

  async function streamOnAndOn(offsetMs: number): Promise<void> {
    // Not all at the same moment: their ends are spread over the time.
    await wait(offsetMs, undefined, { signal: stopped.signal }).catch(() => undefined);
    while (!stopped.signal.aborted) await streamOnce();
  }

  const spreadMs = (frames * delayMs) / atATime;
  const running = Array.from({ length: atATime }, (_, index) => streamOnAndOn(index * spreadMs));
  return {
    async stop() {
      stopped.abort();
      await Promise.all(running);
      return { completed, broken, slowestMs };
    },
  };
}
