import { z } from 'zod';
import { startFakeUpstream } from './fake-upstream.ts';
import type { ReceivedRequest } from './received-request.ts';

const environment = z
  .object({
    FAKE_UPSTREAM_PORT: z.coerce.number().int().min(0).max(65_535).default(9099),
    FAKE_UPSTREAM_HOST: z.string().min(1).default('127.0.0.1'),
  })
  .parse(process.env);

function printRequest(request: ReceivedRequest): void {
  const { method, path, scenario, faults, status, atMs, finishedAtMs, abortedAtMs } = request;
  const words = [
    method,
    path,
    String(status ?? '-'),
    `${(finishedAtMs ?? abortedAtMs ?? atMs) - atMs} ms`,
    ...(scenario === undefined ? [] : [`scenario=${scenario}`]),
    ...(faults.length === 0 ? [] : [`failed=${faults.join(',')}`]),
    ...(abortedAtMs === undefined ? [] : ['client left']),
  ];
  process.stdout.write(`${words.join(' ')}\n`);
}

const upstream = await startFakeUpstream({
  port: environment.FAKE_UPSTREAM_PORT,
  host: environment.FAKE_UPSTREAM_HOST,
  onAnswered: printRequest,
});
process.stdout.write(`fake upstream listens on ${upstream.url}, control at ${upstream.url}/__control\n`);

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void upstream.close());
