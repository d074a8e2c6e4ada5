import { once } from 'node:events';
import { createServer, connect, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

/** A place that a balancer may send connections to. */
export interface BalancedTarget {
  readonly url: string;
  /** Where `/readyz` is asked. */
  readonly adminUrl: string;
}

/** Passes connections on to those of its targets that are ready, in turns, as a Service of Kubernetes does. `await using` closes it. */
export interface Balancer extends AsyncDisposable {
  readonly url: string;
  add(target: BalancedTarget): void;
  /** How many targets get new connections. */
  readonly ready: number;
  close(): Promise<void>;
}

/** Rarer than what runs in a cluster would look, but the drain delays of tests are short, too. */
const PROBE_MS = 100;

/** A connection stays where it is, also when its target is not ready any more. */
export async function startBalancer(): Promise<Balancer> {
  const targets = new Map<BalancedTarget, { isReady: boolean }>();
  const sockets = new Set<Socket>();
  const closing = new AbortController();
  let turn = 0;

  const readyOnes = (): BalancedTarget[] => [...targets].flatMap(([target, { isReady }]) => (isReady ? [target] : []));

  async function probe(): Promise<void> {
    while (!closing.signal.aborted) {
      await Promise.all(
        [...targets].map(async ([{ adminUrl }, state]) => {
          const answer = await fetch(`${adminUrl}/readyz`, { signal: closing.signal }).catch(() => undefined);
          await answer?.text().catch(() => undefined);
          state.isReady = answer?.status === 200;
        }),
      );
      await wait(PROBE_MS, undefined, { signal: closing.signal }).catch(() => undefined);
    }
  }

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (inside) => {
    const ready = readyOnes();
    const target = ready[turn++ % Math.max(1, ready.length)];
    if (!target) {
      inside.destroy();
      return;
    }
    const { hostname, port } = new URL(target.url);
    const outside = connect({ host: hostname, port: Number(port), allowHalfOpen: true, noDelay: true });
    for (const [one, other] of [
      [inside, outside],
      [outside, inside],
    ] as const) {
      sockets.add(one);
      one.pipe(other);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const probing = probe();

  async function close(): Promise<void> {
    closing.abort();
    server.close();
    for (const socket of sockets) socket.destroy();
    await probing;
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    add: (target) => void targets.set(target, { isReady: false }),
    get ready() {
      return readyOnes().length;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
