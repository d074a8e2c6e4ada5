import { afterEach, expect, it, jest } from '@jest/globals';
import { startFakeUpstream } from '../fake-upstream/index.ts';
import { postChat, scenario } from '../support/chat-client.ts';
import { chunksOf, hasContent, joinChunks, openStream } from '../support/event-stream.ts';
import { startBalancer, type BalancedTarget } from '../support/start-balancer.ts';
import { startProcess, urlOf, type ServiceProcess } from '../support/start-process.ts';
import { waitFor } from '../support/wait-for.ts';

/** Six processes start one after the other, and the streams run for many seconds. */
jest.setTimeout(150_000);

const STREAMS = 200;
const FRAMES = 75;
const FRAME_MS = 400;
const START_MS = 30_000;
/** Clients that ask for short answers all the while. */
const CLIENTS = 8;

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

it('a rolling restart of two gateways under 200 streams breaks none of them, and no new request', async () => {
  const upstream = await startFakeUpstream({ settings: { perTokenConcurrency: 2 * STREAMS } });
  closers.push(() => upstream.close());
  const start = (...[service, env]: Parameters<typeof startProcess>): ServiceProcess => {
    const started = startProcess(service, env);
    closers.push(() => started.close());
    return started;
  };
  const translator = start('chat-translator', {
    ZAI_API_BASE: upstream.url,
    ZAI_UPSTREAM_TOKEN: upstream.addUserToken().token,
    ZAI_UPSTREAM_TOKEN_CONCURRENCY: String(2 * STREAMS),
    ZAI_TRANSLATOR_HOST: '127.0.0.1',
    ZAI_TRANSLATOR_PORT: '0',
  });
  const translatorUrl = urlOf(await translator.listening);
  await using balancer = await startBalancer();

  async function startGateway(): Promise<ServiceProcess> {
    const gateway = start('gateway', {
      ZAI_PORT: '0',
      ZAI_TRANSLATOR_URL: translatorUrl,
      ZAI_MAX_CONCURRENT_REQUESTS: String(2 * STREAMS),
      ZAI_SHUTDOWN_DRAIN_DELAY: '1',
      ZAI_SHUTDOWN_TIMEOUT: '60',
    });
    const url = urlOf(await gateway.listening);
    const { adminPort } = gateway.logLines.find(({ msg }) => msg === 'starting')!;
    const target: BalancedTarget = { url, adminUrl: `http://127.0.0.1:${String(adminPort)}` };
    const before = balancer.ready;
    balancer.add(target);
    await waitFor(() => balancer.ready > before, { withinMs: START_MS, what: 'a gateway that is ready' });
    return gateway;
  }

  const old = [await startGateway(), await startGateway()];
  const streams = await Promise.all(
    Array.from({ length: STREAMS }, () =>
      openStream(balancer.url, scenario(`slow frames=${FRAMES} delay=${FRAME_MS}`)),
    ),
  );
  await Promise.all(streams.map((stream) => stream.find(hasContent)));
  const ends = Promise.all(streams.map((stream) => stream.rest()));

  let isOver = false;
  const statuses: (number | string)[] = [];
  const clients = Array.from({ length: CLIENTS }, async () => {
    while (!isOver) {
      const status = await postChat(balancer.url, 'hi').then(
        async (response) => {
          await response.text();
          return response.status;
        },
        (reason: unknown) => String(reason instanceof Error ? (reason.cause ?? reason) : reason),
      );
      statuses.push(status);
    }
  });

  const beganAtMs = performance.now();
  for (const gateway of old) {
    await startGateway();
    gateway.kill('SIGTERM');
    // Streams hold it up, but it gets nothing new from here on.
    await waitFor(() => balancer.ready === 2, { withinMs: START_MS, what: 'a gateway that is ready no more' });
  }
  const restartedMs = performance.now() - beganAtMs;
  const running = upstream.runningStreams();
  const exits = await Promise.all(old.map(({ exited }) => exited));
  isOver = true;
  await Promise.all(clients);
  const answers = (await ends).map((blocks) => joinChunks(chunksOf(blocks)));
  const whole = answers.filter(({ text, errors }) => errors.length === 0 && text.endsWith(`word${FRAMES} `));
  console.log(
    `rolling restart: ${whole.length} of ${STREAMS} streams whole (${running} ran when both were replaced, after ` +
      `${Math.round(restartedMs)} ms), ${statuses.filter((status) => status === 200).length} of ${statuses.length} new requests answered`,
  );
  expect(whole).toHaveLength(STREAMS);
  // Else nothing was shown.
  expect(running).toBeGreaterThan(STREAMS / 2);
  expect(statuses.filter((status) => status !== 200)).toEqual([]);
  expect(exits.map(({ code }) => code)).toEqual([0, 0]);
});
