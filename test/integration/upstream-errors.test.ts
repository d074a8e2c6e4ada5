import { describe, expect, it } from '@jest/globals';
import { postChat, scenario, type ErrorBody } from '../support/chat-client.ts';
import { chunksOf, joinChunks, readEventStream } from '../support/event-stream.ts';
import { holdSection, tableOf } from '../support/hold-section.ts';
import { startStack } from '../support/start-stack.ts';

type Driver = 'web' | 'platform';

interface ErrorClass {
  readonly what: string;
  /** What the simulator does at each upstream; absent where there is no such thing. */
  readonly web?: string;
  readonly platform?: string;
  /** Beside `hi`. */
  readonly body?: Readonly<Record<string, unknown>>;
}

/** A fault or scenario of the same name at both. */
const alike = (name: string): Pick<ErrorClass, Driver> => ({ web: name, platform: name });

const early: readonly ErrorClass[] = [
  { what: 'human verification demanded', web: 'error-challenge' },
  { what: 'edge block page', ...alike('waf') },
  { what: 'frontend version outdated', web: 'error-stale-version' },
  { what: 'signature refused', web: 'bad-signature' },
  { what: 'token or key refused', web: '401', platform: '1002' },
  { what: 'account refused', web: '403', platform: '1220' },
  { what: 'account restricted for unfair use', platform: '1313' },
  { what: 'model above level or plan', web: 'error-level', platform: '1311' },
  { what: 'model unknown', web: 'error-model-not-found', platform: '1211' },
  { what: 'balance spent', platform: '1113' },
  { what: 'allowance used up', platform: '1308' },
  { what: 'too much at once', web: 'error-concurrency', platform: '1302' },
  { what: 'too fast', web: '429', platform: '1303' },
  { what: 'model at capacity', web: 'error-model-busy', platform: '1305' },
  { what: 'conversation too long', platform: '1261' },
  { what: 'content refused', web: 'error-sensitive', platform: '1301' },
  {
    what: 'a value of the request refused',
    platform: '1214',
    body: { tools: [{ type: 'function', function: { name: 'f' } }] },
  },
  { what: 'request not understood', web: '422', platform: '1214' },
  { what: 'internal error', web: 'error-internal', platform: '1234' },
  { what: '5xx', ...alike('503') },
  { what: 'answer without a word', ...alike('empty') },
  { what: 'broken connection', ...alike('reset') },
  { what: 'silence', ...alike('stall-before-content') },
  { what: 'a page instead of an answer', ...alike('not-json') },
];
const late: readonly ErrorClass[] = [
  { what: 'internal error', ...alike('error-internal-after-content') },
  { what: 'content refused', ...alike('error-sensitive-after-content') },
  { what: 'broken connection', ...alike('connection-reset') },
  { what: 'end inside a frame', ...alike('eof-mid-frame') },
  { what: 'silence', ...alike('stall-after-content') },
];

const impatient = {
  ZAI_ANON_POOL_SIZE: '1',
  ZAI_CREDENTIAL_WAIT: '0.2',
  ZAI_STREAM_TIMEOUT: '1',
  ZAI_NON_STREAM_TIMEOUT: '1',
  ZAI_PLATFORM_API_KEY: 'key',
};
const other = { web: 'platform', platform: 'web' } as const;
const faultOf = (driver: Driver, name: string): Record<string, string> =>
  driver === 'web' ? { completionFault: name } : { platformFault: name };

/** What a client sees, in few words. */
async function describeAnswer(response: Response, stream: boolean): Promise<string> {
  const { status, headers } = response;
  if (stream && status === 200) {
    const { errors, finishReasons, text } = joinChunks(chunksOf(await readEventStream(response).rest()));
    expect(text).toMatch(/^Hello/);
    expect(errors.length + finishReasons.length).toBe(1);
    return errors[0] ? `error frame \`${errors[0].code}\`` : `\`finish_reason: ${finishReasons[0]}\``;
  }
  const body = (await response.json()) as ErrorBody & { choices?: { finish_reason: string }[] };
  if (status === 200) return `\`finish_reason: ${body.choices?.[0]?.finish_reason}\``;
  expect(Object.keys(body.error)).toEqual(['message', 'type', 'param', 'code']);
  const wait = headers.get('retry-after');
  // A time that the upstream named goes by the clock.
  const shown = Number(wait) > 86_400 ? 'until the reset' : `${wait} s`;
  return [
    `${status} \`${body.error.code}\``,
    ...(wait === null ? [] : [`wait ${shown}`]),
    ...(headers.get('x-should-retry') === 'false' ? ['not again'] : []),
  ].join(', ');
}

interface Asked {
  readonly body?: ErrorClass['body'] | undefined;
  readonly stream: boolean;
  readonly isLate: boolean;
}

async function ask(driver: Driver, name: string, { stream, isLate, body }: Asked): Promise<string> {
  await using stack = await startStack({
    env: { ...impatient, ZAI_UPSTREAMS: driver },
    upstream: isLate ? {} : faultOf(driver, name),
  });
  const response = await postChat(stack.url, isLate ? scenario(name) : 'hi', { body: { ...body, stream } });
  return await describeAnswer(response, stream);
}

/** Who answers when the failing upstream is the first of two. */
async function askBoth(driver: Driver, name: string, body: ErrorClass['body'] = {}): Promise<string> {
  await using stack = await startStack({
    env: { ...impatient, ZAI_UPSTREAMS: `${driver},${other[driver]}` },
    upstream: faultOf(driver, name),
  });
  const response = await postChat(stack.url, 'hi', { body });
  const answered = response.headers.get('x-gateway-upstream');
  await response.text();
  if (response.status !== 200) return 'told';
  expect(answered).toBe(other[driver]);
  return `${other[driver]} answers`;
}

/** Without the wait, which each upstream has its own idea of. */
const codeOf = (cell: string): string => cell.replace(/,.*/, '');

const none = '–';
const rows = new Map<string, readonly string[]>();
const drivers = ['web', 'platform'] as const;

describe('an error before the first content', () => {
  it.each(early)('$what', async ({ what, body, ...faults }) => {
    const cells: string[] = [];
    for (const driver of drivers) {
      const name = faults[driver];
      const whole = name === undefined ? none : await ask(driver, name, { stream: false, isLate: false, body });
      const streamed = name === undefined ? none : await ask(driver, name, { stream: true, isLate: false, body });
      // No headers were sent yet: a stream fails as a whole answer does.
      expect(streamed).toBe(whole);
      cells.push(whole, name === undefined ? none : await askBoth(driver, name, body));
    }
    // The client need not know which upstream it was.
    const [web = '', , platform = ''] = cells;
    if (web !== none && platform !== none) expect(codeOf(platform)).toBe(codeOf(web));
    rows.set(`early ${what}`, [what, ...cells]);
  });
});

describe('an error behind content', () => {
  it.each(late)('$what', async ({ what, web = '', platform = '' }) => {
    const cells = await Promise.all(
      [web, platform].flatMap((name, index) => {
        const driver = drivers[index] ?? 'web';
        return [false, true].map((stream) => ask(driver, name, { stream, isLate: true }));
      }),
    );
    expect(cells.slice(2)).toEqual(cells.slice(0, 2));
    rows.set(`late ${what}`, [what, ...cells]);
  });
});

it('docs/upstreams.md shows what clients see', () => {
  const rowsOf = (kind: string): (readonly string[])[] =>
    [...rows].filter(([name]) => name.startsWith(kind)).map(([, row]) => row);
  const earlyHead = [
    'before the first content',
    'web',
    'web first, platform second',
    'platform',
    'platform first, web second',
  ];
  const lateHead = ['behind content', 'web, whole', 'web, streamed', 'platform, whole', 'platform, streamed'];
  holdSection('upstreams.md', 'early', tableOf([earlyHead, ...rowsOf('early ')]));
  holdSection('upstreams.md', 'late', tableOf([lateHead, ...rowsOf('late ')]));
});
