import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { startFakeUpstream, type FakeUpstream } from '../fake-upstream/index.ts';
import { holdSection, tableOf } from '../support/hold-section.ts';
import { openGate, type Gate } from '../support/open-gate.ts';
import { startStack, type Stack } from '../support/start-stack.ts';
import { postTurn, turnForms, type TurnForm } from '../support/turn-forms.ts';
import { waitFor } from '../support/wait-for.ts';

/** A breaker lets nobody through for 5 seconds, and for 10 after a probe that failed. */
jest.setTimeout(90_000);

/** No request may take longer by the limits below: a silence at each upstream, a try again within the budget, and a busy machine. */
const DEADLINE_MS = 8_000;
const RECOVERY_MS = 40_000;
/** The longest wait of a breaker, in seconds. */
const LONGEST_BREAK = 60;

type Name = 'web' | 'platform';
/** The upstreams, each behind a network of its own. */
let behind: Readonly<Record<Name, FakeUpstream>>;
let gates: Readonly<Record<Name, Gate>>;

beforeEach(async () => {
  const [web, platform] = await Promise.all([startFakeUpstream(), startFakeUpstream()]);
  web.configure({ perTokenConcurrency: 99 });
  behind = { web, platform };
  gates = { web: await openGate(web.url), platform: await openGate(platform.url) };
});
afterEach(async () => {
  for (const gate of Object.values(gates)) await gate[Symbol.asyncDispose]();
  for (const upstream of Object.values(behind)) await upstream.close();
});

const start = (env: Readonly<Record<string, string>> = {}): Promise<Stack> =>
  startStack({
    env: {
      ZAI_UPSTREAMS: 'web,platform',
      ZAI_API_BASE: gates.web.url,
      ZAI_PLATFORM_BASE: `${gates.platform.url}/api/paas/v4`,
      ZAI_PLATFORM_API_KEY: 'key-a,key-b',
      ZAI_ANON_TOKEN_ENABLED: 'false',
      // A challenged account rests for ten minutes: some are left for the way back.
      ZAI_UPSTREAM_TOKEN: Array.from({ length: 9 }, () => behind.web.addUserToken().token).join(','),
      ZAI_UPSTREAM_TOKEN_CONCURRENCY: '20',
      ZAI_CREDENTIAL_WAIT: '1',
      ZAI_STREAM_TIMEOUT: '1',
      ZAI_NON_STREAM_TIMEOUT: '1',
      ZAI_RETRY_BUDGET: '3',
      ...env,
    },
  });

interface Told {
  readonly form: TurnForm;
  /** `web answers`, or how the error is told. */
  readonly cell: string;
  readonly message: string;
  readonly waitSeconds: number | undefined;
}

const forms = turnForms('hi');

interface ErrorWords {
  readonly code?: string;
  readonly message?: string;
}

/** The error of a body or of the last frame, wherever its API puts it. */
function errorOf(text: string): ErrorWords {
  const last = text.trim().startsWith('{') ? text : ([...text.matchAll(/^data: (\{.+)$/gm)].at(-1)?.[1] ?? '{}');
  const body = JSON.parse(last) as ErrorWords & { error?: ErrorWords; response?: { error?: ErrorWords } };
  return body.response?.error ?? (body.code === undefined ? body.error : body) ?? {};
}

async function ask({ url }: Stack, form: TurnForm): Promise<Told> {
  const startedAtMs = performance.now();
  const response = await postTurn(url, form);
  const text = await response.text();
  expect([form.name, performance.now() - startedAtMs < DEADLINE_MS]).toEqual([form.name, true]);
  const { status, headers } = response;
  const wait = headers.get('retry-after');
  const waitSeconds = wait === null ? undefined : Number(wait);
  if (text.includes('Hello from GLM. You said: hi')) {
    return { form, cell: `${headers.get('x-gateway-upstream')} answers`, message: '', waitSeconds };
  }
  const { code, message = '' } = errorOf(text);
  // Frames have the codes of their API, which need not be ours.
  const cell = status === 200 ? 'error frame' : `${status} \`${headers.get('x-error-code') ?? code}\``;
  return { form, cell, message, waitSeconds };
}

/** Everybody at the same time. */
const crowd = (stack: Stack, asking = forms): Promise<Told[]> => Promise.all(asking.map((form) => ask(stack, form)));

async function oneByOne(stack: Stack): Promise<Told[]> {
  const all: Told[] = [];
  for (const form of forms) all.push(await ask(stack, form));
  return all;
}

interface Driver {
  readonly name: string;
  readonly state: string;
  readonly since: string | null;
  readonly last_failure: { readonly code: string; readonly reason: string | null; readonly message: string } | null;
  readonly breaker: { readonly state: string; readonly retry_at: string | null };
}

async function driversOf({ url }: Stack): Promise<Readonly<Record<Name, Driver>>> {
  const { drivers } = (await (await fetch(`${url}/v1/status`)).json()) as { drivers: readonly Driver[] };
  return Object.fromEntries(drivers.map((driver) => [driver.name, driver])) as Record<Name, Driver>;
}

const isMessages = ({ form }: Told): boolean => form.path === '/v1/messages';
const rows: (readonly string[])[] = [];

/** Writes down what all of them were told, which must be the same in the APIs of OpenAI, and in Messages. */
async function record(stack: Stack, what: string, told: readonly Told[]): Promise<void> {
  const cells = [told.filter((each) => !isMessages(each)), told.filter(isMessages)].map((group) => {
    const different = [...new Set(group.map(({ cell }) => cell))];
    expect([what, different]).toEqual([what, [different[0]]]);
    return different[0] ?? '';
  });
  const { web, platform } = await driversOf(stack);
  rows.push([what, ...cells, web.breaker.state, platform.breaker.state]);
  expect(await stack.metric('zai_upstream_breaker', { driver: 'web', state: web.breaker.state })).toBe(1);
}

/** Asks until this upstream answers everybody: one alone first, as a breaker lets one through. */
async function untilAnswered(stack: Stack, name: Name, asking = forms): Promise<Told[]> {
  const cell = `${name} answers`;
  const [first = forms[0]] = asking;
  if (!first) throw new Error('Nobody asks.');
  await waitFor(async () => (await ask(stack, first)).cell === cell, { withinMs: RECOVERY_MS });
  // On a busy machine one of a crowd may wait longer than the upstream is given.
  return waitFor(
    async () => {
      const told = await crowd(stack, asking);
      return told.every((each) => each.cell === cell) && told;
    },
    { withinMs: RECOVERY_MS, what: `answers of ${name} to everybody` },
  );
}

const only = (name: Name): readonly TurnForm[] => turnForms('hi', { model: `glm-4.7-nothinking@${name}` });

describe('a run of faults', () => {
  it('human verification, then limits, then both, and back', async () => {
    await using stack = await start();
    await record(stack, 'both are well', await crowd(stack));

    behind.web.configure({ requireVerification: true });
    // The first five are challenged one by one; from then on it is left alone.
    await record(stack, 'web demands human verification', await oneByOne(stack));
    const { web } = await driversOf(stack);
    expect(web).toMatchObject({
      state: 'challenged',
      since: expect.any(String),
      last_failure: { code: 'upstream_challenged', message: expect.stringMatching(/verification/) },
      breaker: { state: 'open', retry_at: expect.any(String) },
    });
    expect(behind.web.log.filter(({ path }) => path === '/api/v2/chat/completions')).toHaveLength(forms.length + 5);
    expect(await stack.metric('zai_translator_fallbacks_total', { from: 'web', to: 'platform' })).toBe(forms.length);

    behind.platform.configure({ platformFault: '1302' });
    const limited = await oneByOne(stack);
    await record(stack, 'and platform is at its limit', limited);
    for (const { message, waitSeconds } of limited) {
      expect(message).toMatch(/limit of concurrent requests.*\(web: upstream_challenged\)/);
      expect(waitSeconds).toBeGreaterThanOrEqual(1);
      expect(waitSeconds).toBeLessThanOrEqual(5);
    }

    behind.platform.configure({ platformFault: null });
    await record(stack, 'platform is well again', await untilAnswered(stack, 'platform'));

    behind.web.configure({ requireVerification: false });
    await record(stack, 'web is well again', await untilAnswered(stack, 'web'));
    expect((await driversOf(stack)).web).toMatchObject({ state: 'ok' });
  });

  it.each([
    ['refuse', 'upstream_unreachable', /cannot be reached/],
    ['hang', 'upstream_timeout', /was silent for 1 seconds/],
  ] as const)('both %s, and back one after the other', async (mode, code, words) => {
    const what = mode === 'refuse' ? 'both refuse connections' : 'both are silent';
    await using stack = await start();
    await crowd(stack);
    await Promise.all(Object.values(gates).map((gate) => gate.become(mode)));
    // While the breakers are closed, and when they are open: the same words.
    const first = await crowd(stack);
    for (const { message } of first) expect(message).toMatch(words);
    const then = await crowd(stack);
    await record(stack, what, [...first, ...then]);
    for (const { message } of then) {
      expect(message).toMatch(words);
      expect(message).toContain(`(platform: ${code})`);
    }
    // All but the probe of either upstream, should its time have come.
    const waits = then.flatMap(({ waitSeconds = 0 }) => (waitSeconds > 0 ? [waitSeconds] : []));
    expect(waits.length).toBeGreaterThanOrEqual(forms.length - 2);
    expect(Math.max(...waits)).toBeLessThanOrEqual(LONGEST_BREAK);
    for (const driver of Object.values(await driversOf(stack)))
      expect(driver).toMatchObject({
        last_failure: { code },
        breaker: { state: 'open', retry_at: expect.any(String) },
      });

    await gates.web.become('pass');
    await record(stack, `${what}; web comes back`, await untilAnswered(stack, 'web'));

    await gates.platform.become('pass');
    await untilAnswered(stack, 'platform', only('platform'));
    await record(stack, `${what}; platform comes back, too`, await crowd(stack));
  });

  it('both are silent, and streams have begun before it is known', async () => {
    await using stack = await start({ ZAI_FIRST_BYTE_GRACE: '0.2' });
    await Promise.all(Object.values(gates).map((gate) => gate.become('hang')));
    const told = await crowd(
      stack,
      forms.filter(({ stream }) => stream),
    );
    await record(stack, 'both are silent for longer than `ZAI_FIRST_BYTE_GRACE`, streamed', told);
    for (const { message } of told) expect(message).toMatch(/was silent for 1 seconds/);
  });

  it('docs/upstreams.md shows it', () => {
    holdSection(
      'upstreams.md',
      'run',
      tableOf([['what happens', 'OpenAI APIs', 'Messages', 'breaker of web', 'breaker of platform'], ...rows]),
    );
  });
});
