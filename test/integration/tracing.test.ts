import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { startFakeUpstream, type FakeUpstream } from '../fake-upstream/index.ts';
import { askWhole, postChat, scenario } from '../support/chat-client.ts';
import { hasContent, openStream } from '../support/event-stream.ts';
import { startOtlpCollector, type OtlpCollector, type SentSpan } from '../support/otlp-collector.ts';
import { startProcess, urlOf, type ServiceProcess } from '../support/start-process.ts';
import { randomPrefix, startRedis } from '../support/start-redis.ts';
import { waitFor } from '../support/wait-for.ts';

/** Starting processes from sources takes a second or two of a busy machine. */
jest.setTimeout(60_000);

const SOON_MS = 10_000;
const PROMPT = 'the-prompt-that-nobody-may-see';
const KEY = 'the-key-of-a-client';
const authorized = { headers: { authorization: `Bearer ${KEY}` } };

interface Scene {
  readonly upstream: FakeUpstream;
  readonly collector: OtlpCollector;
  readonly gateway: ServiceProcess;
  readonly translator: ServiceProcess;
  readonly url: string;
}

const closers: (() => Promise<unknown>)[] = [];
let scene: Scene;
/** Closed in the end, however far the start gets. */
function keep<T extends { close(): Promise<unknown> }>(each: T): T {
  closers.unshift(() => each.close());
  return each;
}
beforeAll(async () => {
  const upstream = keep(await startFakeUpstream({ settings: { perTokenConcurrency: 9 } }));
  const collector = keep(await startOtlpCollector());
  const redis = keep(await startRedis());
  const env = {
    ...collector.env,
    ...redis.env,
    REDIS_KEY_PREFIX: randomPrefix(),
    ZAI_API_BASE: upstream.url,
    ZAI_REFRESH_INTERVAL: '1',
  };
  keep(startProcess('token-refresher', env));
  const listener = { ZAI_TRANSLATOR_HOST: '127.0.0.1', ZAI_TRANSLATOR_PORT: '0' };
  const translator = keep(startProcess('chat-translator', { ...env, ...listener }));
  const gateway = keep(
    startProcess('gateway', {
      ...collector.env,
      ZAI_PORT: '0',
      ZAI_API_KEY: KEY,
      ZAI_TRANSLATOR_URL: urlOf(await translator.listening),
    }),
  );
  scene = { upstream, collector, gateway, translator, url: urlOf(await gateway.listening) };
});
afterAll(async () => {
  for (const close of closers) await close();
});

const newTraceId = (): string => crypto.randomUUID().replaceAll('-', '');
const CLIENT_SPAN_ID = '00f067aa0ba902b7';
/** The headers of a client that traces, too, so that its spans can be told from those of other tests. */
const tracedBy = (traceId: string): { headers: Record<string, string> } => ({
  headers: { ...authorized.headers, traceparent: `00-${traceId}-${CLIENT_SPAN_ID}-01` },
});

/** The spans of one trace, once the gateway's own is among them: it ends last. */
async function spansOf(traceId: string): Promise<(what: Partial<SentSpan>) => SentSpan[]> {
  const { collector } = scene;
  const isOfTrace = (span: SentSpan): boolean => span.traceId === traceId;
  for (const service of ['gateway', 'chat-translator']) {
    await collector.find(
      `SERVER of ${service}`,
      (span) => isOfTrace(span) && span.service === service && span.kind === 'SERVER',
    );
  }
  return (what) =>
    collector.spans.filter(
      (span) =>
        isOfTrace(span) && Object.entries(what).every(([name, value]) => span[name as keyof SentSpan] === value),
    );
}

describe('a trace over gateway, chat-translator, Redis and upstream', () => {
  it.each([true, false])('H18: has one id and the right parents (stream: %s)', async (stream) => {
    const traceId = newTraceId();
    const request = { ...tracedBy(traceId), body: { stream, max_tokens: 50, temperature: 0.5 } };
    await (await postChat(scene.url, PROMPT, request)).text();
    const spans = await spansOf(traceId);
    await scene.collector.find('the release', ({ traceId: id, name }) => id === traceId && name === 'EVALSHA release');

    const [server] = spans({ service: 'gateway', kind: 'SERVER' });
    expect(server).toMatchObject({ name: 'POST /v1/chat/completions', parentSpanId: CLIENT_SPAN_ID, isError: false });
    const [forward] = spans({ service: 'gateway', kind: 'CLIENT' });
    expect(forward!.parentSpanId).toBe(server!.spanId);
    const [inner] = spans({ service: 'chat-translator', kind: 'SERVER' });
    expect(inner).toMatchObject({ name: 'POST /v1/chat/completions', parentSpanId: forward!.spanId });
    const lease = spans({ name: 'lease credential' }).at(-1);
    expect(lease!.parentSpanId).toBe(inner!.spanId);
    const [script] = spans({ name: 'EVALSHA lease', parentSpanId: lease!.spanId });
    expect(script).toMatchObject({ kind: 'CLIENT', attributes: { 'db.system.name': 'redis' } });
    expect(spans({ name: 'EVALSHA release' })[0]!.parentSpanId).toBe(inner!.spanId);

    const [chat, ...others] = spans({ name: 'chat glm-4.7' });
    expect(others).toEqual([]);
    expect(chat).toMatchObject({ kind: 'CLIENT', parentSpanId: inner!.spanId, isError: false });
    expect(chat!.attributes).toMatchObject({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'zai',
      'gen_ai.request.model': 'glm-4.7',
      'gen_ai.request.max_tokens': 50,
      'gen_ai.request.temperature': 0.5,
      'gen_ai.request.stream': true,
      'gen_ai.response.finish_reasons': ['stop'],
      'gen_ai.usage.input_tokens': expect.any(Number),
      'gen_ai.usage.output_tokens': expect.any(Number),
      'openai.api.type': 'chat_completions',
      'server.address': '127.0.0.1',
      'server.port': Number(new URL(scene.upstream.url).port),
    });
    expect(chat!.attributes['gen_ai.response.time_to_first_chunk']).toBeGreaterThan(0);
    const calls = spans({ kind: 'CLIENT', parentSpanId: chat!.spanId });
    expect(calls.map(({ attributes }) => attributes['url.path'])).toEqual(
      expect.arrayContaining(['/api/v1/chats/new', '/api/v2/chat/completions']),
    );
  });

  it('does not call it a failure when an answer is ended at its limit', async () => {
    const traceId = newTraceId();
    const request = { ...tracedBy(traceId), body: { stream: true, max_tokens: 2 } };
    await (await postChat(scene.url, scenario('slow frames=20 delay=25'), request)).text();
    const spans = await spansOf(traceId);
    const chat = await scene.collector.find(
      'the upstream call',
      ({ traceId: id, name }) => id === traceId && name === 'chat glm-4.7',
    );
    for (const span of [chat, ...spans({ kind: 'SERVER' })]) expect(span).toMatchObject({ isError: false });
    expect(chat.attributes).not.toHaveProperty('error.type');
  });

  it('H18: begins here where the caller’s traceparent is broken', async () => {
    const broken = '00-0000000000000000000000000000000z-00f067aa0ba902b7-01';
    const request = { headers: { ...authorized.headers, traceparent: broken, 'x-client-request-id': 'broken-parent' } };
    await askWhole(scene.url, PROMPT, request);
    const line = await waitFor(
      () => scene.gateway.logLines.find(({ clientRequestId }) => clientRequestId === 'broken-parent'),
      { withinMs: SOON_MS },
    );
    const spans = await spansOf(String(line['trace_id']));
    expect(spans({ service: 'gateway', kind: 'SERVER' })[0]!.parentSpanId).toBe('');
  });

  it('is named by the log lines of its requests', async () => {
    const traceId = newTraceId();
    await askWhole(scene.url, PROMPT, tracedBy(traceId));
    const spans = await spansOf(traceId);
    for (const { logLines, service } of [
      { ...scene.gateway, service: 'gateway' },
      { ...scene.translator, service: 'chat-translator' },
    ]) {
      const line = logLines.find(({ msg, trace_id: id }) => msg === 'request' && id === traceId);
      expect(line?.['span_id']).toBe(spans({ service, kind: 'SERVER' })[0]!.spanId);
    }
  });

  it('does not leave the house: the upstream gets neither traceparent nor baggage', async () => {
    await askWhole(scene.url, PROMPT, {
      headers: { ...tracedBy(newTraceId()).headers, tracestate: 'vendor=1', baggage: 'user=somebody' },
    });
    for (const { headers } of scene.upstream.log) {
      for (const name of ['traceparent', 'tracestate', 'baggage', 'b3']) expect(headers).not.toHaveProperty(name);
    }
  });
});

describe('a turn that fails', () => {
  it('before its answer: each try is a span with our code, and so are the requests', async () => {
    const traceId = newTraceId();
    const { status } = await postChat(scene.url, scenario('error-model-busy', PROMPT), tracedBy(traceId));
    expect(status).toBe(429);
    const spans = await spansOf(traceId);
    const tries = spans({ name: 'chat glm-4.7' });
    expect(tries.length).toBeGreaterThan(0);
    for (const each of tries) {
      expect(each).toMatchObject({ isError: true, attributes: { 'error.type': 'upstream_busy' } });
      expect(each.attributes).not.toHaveProperty('gen_ai.response.time_to_first_chunk');
    }
    const [inner] = spans({ service: 'chat-translator', kind: 'SERVER' });
    expect(inner!.attributes).toMatchObject({ 'error.type': 'upstream_busy', 'http.response.status_code': 429 });
  });

  it('in its stream: the spans say so, whatever the status was', async () => {
    const traceId = newTraceId();
    const stream = await openStream(scene.url, scenario('connection-reset', PROMPT), tracedBy(traceId));
    await stream.rest();
    expect(stream.status).toBe(200);
    const spans = await spansOf(traceId);
    for (const span of [...spans({ name: 'chat glm-4.7' }), ...spans({ service: 'chat-translator', kind: 'SERVER' })]) {
      expect(span).toMatchObject({ isError: true, attributes: { 'error.type': 'upstream_failed' } });
    }
  });

  it.each([true, false])('because its client left: all its spans end (stream: %s)', async (stream) => {
    const traceId = newTraceId();
    const leaving = new AbortController();
    const request = { ...tracedBy(traceId), signal: leaving.signal };
    if (stream) {
      const answer = await openStream(scene.url, scenario('stall-after-content', PROMPT), request);
      await answer.find(hasContent);
    } else {
      const before = scene.upstream.log.length;
      postChat(scene.url, scenario('stall-after-content', PROMPT), request).catch(() => undefined);
      await waitFor(() => scene.upstream.log.slice(before).some(({ path }) => path === '/api/v2/chat/completions'), {
        withinMs: SOON_MS,
      });
    }
    leaving.abort();
    const spans = await spansOf(traceId);
    for (const service of ['gateway', 'chat-translator']) {
      const [server] = spans({ service, kind: 'SERVER' });
      expect(server).toMatchObject({ isError: true, attributes: { 'error.type': 'cancelled' } });
    }
    const chat = await scene.collector.find(
      'the upstream call',
      ({ traceId: id, name }) => id === traceId && name === 'chat glm-4.7',
    );
    expect(chat).toMatchObject({ isError: true, attributes: { 'error.type': 'cancelled' } });
  });
});

describe('a refresh job', () => {
  it('is a trace of its own with a link to what scheduled it', async () => {
    const { collector } = scene;
    const job = await collector.find('a job with a link', ({ kind, links }) => kind === 'CONSUMER' && links.length > 0);
    expect(job).toMatchObject({ service: 'token-refresher', name: 'process refill', parentSpanId: '' });
    const [{ traceId, spanId }] = job.links as [{ traceId: string; spanId: string }];
    const sender = await collector.find('its sender', (span) => span.spanId === spanId);
    expect(sender).toMatchObject({ kind: 'PRODUCER', name: 'send refill', traceId });
    expect(traceId).not.toBe(job.traceId);
  });

  it('holds its mints and its writes to Redis', async () => {
    const { collector } = scene;
    const put = await collector.find('a token that is put', ({ name }) => name === 'EVALSHA put');
    const inJob = (span: SentSpan): boolean => span.traceId === put.traceId;
    await collector.find(
      'its job',
      (span) => inJob(span) && span.kind === 'CONSUMER' && span.spanId === put.parentSpanId,
    );
    await collector.find('a mint', (span) => inJob(span) && span.attributes['url.path'] === '/api/v1/auths/');
  });
});

describe('what is sent', () => {
  it('holds no prompt, no answer, no token, no key and no query', async () => {
    const traceId = newTraceId();
    await (await fetch(`${scene.url}/v1/models?secret=in-a-query`, tracedBy(traceId))).text();
    await spansOf(traceId);
    const received = scene.collector.received();
    expect(scene.collector.spans.length).toBeGreaterThan(20);
    const tokens = scene.upstream.issuedTokens().map(({ token }) => token);
    const signatures = scene.upstream.log.map(({ headers }) => headers['x-signature']).filter(Boolean);
    expect([tokens.length > 0, signatures.length > 0]).toEqual([true, true]);
    const secrets = [PROMPT, 'Hello from GLM', KEY, 'in-a-query', 'url.query', 'signature', 'Bearer', 'uthorization'];
    for (const secret of [...secrets, ...tokens, ...signatures]) expect(received).not.toContain(secret);
    expect(received).not.toMatch(/eyJ[\w-]+\./);
  });
});

describe('switched off', () => {
  const off: readonly [string, (collector: OtlpCollector) => Record<string, string>][] = [
    ['without an endpoint', () => ({})],
    ['by OTEL_SDK_DISABLED', ({ env }) => ({ ...env, OTEL_SDK_DISABLED: 'true' })],
    ['by OTEL_TRACES_EXPORTER', ({ env }) => ({ ...env, OTEL_TRACES_EXPORTER: 'none' })],
  ];
  it.each(off)('(%s) it connects to nobody and names no trace', async (_how, envOf) => {
    await using collector = await startOtlpCollector();
    await using standalone = startProcess('standalone', {
      ...envOf(collector),
      ZAI_API_BASE: scene.upstream.url,
      ZAI_PORT: '0',
    });
    await askWhole(urlOf(await standalone.listening), 'hi', tracedBy(newTraceId()));
    const line = await waitFor(() => standalone.logLines.find(({ msg }) => msg === 'request'), { withinMs: SOON_MS });
    standalone.kill('SIGTERM');
    expect(await standalone.exited).toEqual({ code: 0, stderr: '' });
    expect([line['trace_id'], collector.connections]).toEqual([undefined, 0]);
  });
});

describe('standalone', () => {
  it('is one trace in one process, and sends its last spans before it ends', async () => {
    await using collector = await startOtlpCollector();
    const env = { ...collector.env, OTEL_BSP_SCHEDULE_DELAY: '600000' };
    await using standalone = startProcess('standalone', { ...env, ZAI_API_BASE: scene.upstream.url, ZAI_PORT: '0' });
    const url = urlOf(await standalone.listening);
    await askWhole(url, PROMPT, tracedBy(newTraceId()));
    await (await fetch(`${url}/health`)).text();
    expect(collector.connections).toBe(0);
    standalone.kill('SIGTERM');
    expect(await standalone.exited).toEqual({ code: 0, stderr: '' });
    const servers = collector.spans.filter(({ kind }) => kind === 'SERVER');
    expect(servers.map(({ name }) => name)).toEqual(['POST /v1/chat/completions']);
    const [chat] = collector.spans.filter(({ name }) => name === 'chat glm-4.7');
    expect(chat!.parentSpanId).toBe(servers[0]!.spanId);
    expect(collector.spans.some(({ name }) => name === 'refill')).toBe(true);
  });

  it('says why nothing arrives, and stops in time, when the collector does not answer', async () => {
    const gone = await startOtlpCollector();
    await gone.close();
    const env = { ...gone.env, OTEL_EXPORTER_OTLP_TIMEOUT: '500', ZAI_API_BASE: scene.upstream.url, ZAI_PORT: '0' };
    await using standalone = startProcess('standalone', env);
    const url = urlOf(await standalone.listening);
    await askWhole(url, PROMPT);
    await waitFor(() => standalone.logLines.some(({ msg }) => msg === 'tracing is in trouble'), { withinMs: SOON_MS });
    await askWhole(url, PROMPT);
    const startedAtMs = performance.now();
    standalone.kill('SIGTERM');
    expect(await standalone.exited).toEqual({ code: 0, stderr: '' });
    expect(performance.now() - startedAtMs).toBeLessThan(5_000);
    expect(standalone.logLines.filter(({ msg }) => msg === 'tracing is in trouble')).toHaveLength(1);
  });
});
