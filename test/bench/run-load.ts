import type { Agent } from 'undici';
import { type Dispatcher } from 'undici';
import type { LoadJob, LoadResult } from './load-job.ts';

/** One answer as it came in. Its chunks are only kept, and looked at when the clock has stopped. */
interface Answer {
  status: number;
  startedAtMs: number;
  endedAtMs: number;
  failure: string | undefined;
  readonly chunks: Buffer[];
  readonly chunkTimesMs: number[];
}

const ANSWER_TIMEOUT_MS = 60_000;

/** Runs one load to its end; never rejects for a failed answer. The connections are new at first, then reused. */
export async function runLoad(job: LoadJob, agent: Agent): Promise<LoadResult> {
  const cpuBefore = process.cpuUsage();
  const startedAtMs = performance.now();
  const lists = await Promise.all(Array.from({ length: job.clients }, () => runClient(job, agent, startedAtMs)));
  const elapsedMs = performance.now() - startedAtMs;
  const cpu = process.cpuUsage(cpuBefore);
  return { ...summarize(lists.flat(), job), elapsedMs, clientCpuMs: (cpu.user + cpu.system) / 1000 };
}

async function runClient(job: LoadJob, agent: Agent, startedAtMs: number): Promise<Answer[]> {
  const answers: Answer[] = [];
  const requests = job.requestsPerClient ?? Number.POSITIVE_INFINITY;
  const endAtMs = startedAtMs + (job.durationMs ?? Number.POSITIVE_INFINITY);
  while (answers.length < requests && performance.now() < endAtMs) answers.push(await ask(job, agent));
  return answers;
}

function ask({ url, headers, body }: LoadJob, agent: Agent): Promise<Answer> {
  const { origin, pathname, search } = new URL(url);
  const { promise, resolve } = Promise.withResolvers<Answer>();
  const answer: Answer = {
    status: 0,
    startedAtMs: performance.now(),
    endedAtMs: 0,
    failure: undefined,
    chunks: [],
    chunkTimesMs: [],
  };
  const end = (failure?: string): void => {
    answer.failure = failure;
    answer.endedAtMs = performance.now();
    resolve(answer);
  };
  // The leanest way in: the client shares the machine with what it measures.
  const handler: Dispatcher.DispatchHandler = {
    onRequestStart: () => undefined,
    onResponseStart: (_controller, status) => (answer.status = status),
    onResponseData(_controller, chunk) {
      answer.chunks.push(chunk);
      answer.chunkTimesMs.push(performance.now());
    },
    onResponseEnd: () => end(),
    onResponseError: (_controller, error) => end(error.message),
  };
  const timeouts = { headersTimeout: ANSWER_TIMEOUT_MS, bodyTimeout: ANSWER_TIMEOUT_MS };
  agent.dispatch({ origin, path: pathname + search, method: 'POST', headers, body, ...timeouts }, handler);
  return promise;
}

function summarize(
  answers: readonly Answer[],
  { token, mark }: LoadJob,
): Omit<LoadResult, 'elapsedMs' | 'clientCpuMs'> {
  let [tokens, bytes] = [0, 0];
  const failures: string[] = [];
  for (const { status, failure, chunks } of answers) {
    const body = Buffer.concat(chunks);
    const text = body.toString('latin1');
    bytes += body.length;
    tokens += text.split(token).length - 1;
    if (failure !== undefined) failures.push(failure);
    else if (status !== 200) failures.push(`status ${status}: ${text.slice(0, 300)}`);
    else if (!text.includes(mark)) failures.push(`incomplete: …${text.slice(-300)}`);
  }
  return {
    answers: answers.length,
    failures: failures.length,
    ...(failures[0] === undefined ? {} : { firstFailure: failures[0] }),
    tokens,
    bytes,
    firstByteMs: answers.map(({ chunkTimesMs, startedAtMs }) => (chunkTimesMs[0] ?? Number.NaN) - startedAtMs),
    answerMs: answers.map(({ startedAtMs, endedAtMs }) => endedAtMs - startedAtMs),
    gapsMs: answers.flatMap(({ chunkTimesMs }) =>
      chunkTimesMs.slice(1).map((atMs, index) => atMs - (chunkTimesMs[index] ?? atMs)),
    ),
  };
}
