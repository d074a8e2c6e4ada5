import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { richBodies, type DialectBody } from '../support/dialect-bodies.ts';
import { startStack, type Stack } from '../support/start-stack.ts';

/** Some hundred requests, most of them refused in milliseconds. */
jest.setTimeout(180_000);
const RUNS = 60;

/** Failures of the model, which a request may ask for in vain: neither the input nor anybody here is at fault. */
const failuresOfTheModel = new Set(['tool_choice_not_satisfied', 'invalid_structured_output', 'invalid_tool_call']);

type Json = unknown;
type Path = readonly (string | number)[];

/** Where anything may be put instead. */
function pathsOf(value: Json, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const entries = Object.entries(value) as [string, Json][];
  return [
    path,
    ...entries.flatMap(([key, each]) => pathsOf(each, [...path, Array.isArray(value) ? Number(key) : key])),
  ];
}

function replaceAt(value: Json, [key, ...rest]: Path, replacement: Json): Json {
  if (key === undefined) return replacement;
  if (Array.isArray(value)) {
    return value.map((each: Json, index) => (index === key ? replaceAt(each, rest, replacement) : each));
  }
  return Object.fromEntries(
    Object.entries(value as object).map(([name, each]: [string, Json]) => [
      name,
      name === key ? replaceAt(each, rest, replacement) : each,
    ]),
  );
}

const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;

/** Values that have broken something somewhere. */
const hostile = fc.constantFrom<Json>(
  null,
  '',
  ' ',
  '\u0000',
  '\ud800',
  'x'.repeat(70_000),
  '__proto__',
  'data:image/png;base64,',
  'data:,',
  'file:///etc/passwd',
  'http://127.0.0.1:1/',
  -1,
  0,
  1e308,
  2 ** 53,
  [],
  {},
  [[]],
  [null],
  [{}],
  { type: null },
  { toString: 'x', constructor: {}, hasOwnProperty: 1 },
  JSON.parse('{"__proto__":{"stream":true,"model":"x"}}'),
  JSON.parse(nested(150)),
  Array.from({ length: 2_000 }, () => ({})),
);
const anything = fc.oneof({ weight: 2, arbitrary: hostile }, { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) });

/** A valid body with one to three of its parts replaced, and sometimes a field that nobody knows. */
function fuzzed(body: Json): fc.Arbitrary<string> {
  const changes = fc.array(fc.tuple(fc.nat(), anything), { minLength: 1, maxLength: 3 });
  const extra = fc.option(fc.tuple(fc.string(), anything));
  return fc.tuple(changes, extra).map(([all, added]) => {
    let changed = body;
    for (const [at, value] of all) {
      const paths = pathsOf(changed);
      changed = replaceAt(changed, paths[at % paths.length] ?? [], value);
    }
    const isObject = typeof changed === 'object' && changed !== null && !Array.isArray(changed);
    return JSON.stringify(added && isObject ? { ...(changed as object), [added[0]]: added[1] } : changed);
  });
}

const anyText = fc.oneof(
  fc.string(),
  fc.json(),
  fc.constantFrom('', '{', '\ufeff', '"', nested(300), nested(100_000), '{"a":1}{'),
);

describe('H25: a body', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack({ env: { ZAI_ANON_TOKEN_CONCURRENCY: '9' }, upstream: { perTokenConcurrency: 99 } });
  });
  afterAll(() => stack.close());

  const post = (path: string, text: string): Promise<Response> =>
    fetch(stack.url + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: text });

  const isOpenAiError = (body: Json): boolean =>
    JSON.stringify(Object.keys((body as { error: object }).error)) === '["message","type","param","code"]';
  const isAnthropicError = (body: Json): boolean => {
    const {
      type,
      error,
      request_id: id,
    } = body as { type: Json; error: { type: Json; message: Json }; request_id: Json };
    const isWhole = typeof error.type === 'string' && typeof error.message === 'string' && typeof id === 'string';
    return type === 'error' && isWhole;
  };

  async function expectSane({ path, api }: DialectBody, text: string): Promise<void> {
    const response = await post(path, text);
    const answer = await response.text();
    if (response.status === 200) {
      // A stream that had begun tells of a failure by its own means.
      expect(answer).not.toMatch(/"(?:internal_error|server_error|api_error)"/);
      return;
    }
    const body = JSON.parse(answer) as { error: { code?: string } };
    expect(api === 'openai' ? isOpenAiError(body) : isAnthropicError(body)).toBe(true);
    const isAllowed = response.status < 500 || failuresOfTheModel.has(body.error.code ?? '');
    // With the answer at hand when it fails.
    expect(isAllowed ? '' : answer).toBe('');
  }

  it('was tried with requests that are right', async () => {
    for (const { path, body } of richBodies) {
      const response = await post(path, JSON.stringify(body));
      expect([path, response.status]).toEqual([path, /embeddings|images/.test(path) ? 400 : 200]);
      await response.text();
    }
  });

  it.each(richBodies.map((each) => [each.path, each] as const))(
    'with parts replaced is no fault of ours: %s',
    (_path, each) =>
      fc.assert(
        fc.asyncProperty(fuzzed(each.body), (text) => expectSane(each, text)),
        { numRuns: RUNS },
      ),
  );

  it.each(richBodies.map((each) => [each.path, each] as const))('that is any text at all neither: %s', (_path, each) =>
    fc.assert(
      fc.asyncProperty(anyText, (text) => expectSane(each, text)),
      { numRuns: RUNS / 3 },
    ),
  );
});
