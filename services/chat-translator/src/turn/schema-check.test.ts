import { describe, expect, it } from '@jest/globals';
import type { SchemaCheck } from '@zai2api/dialects';
import { TurnError } from '@zai2api/turn';
import { createSchemaChecks } from './schema-check.ts';

type JsonSchema = Readonly<Record<string, unknown>>;

/** Each check with a time of its own. */
function createSchemaCheck(): SchemaCheck {
  const checks = createSchemaChecks();
  return (schema, value) => checks.forAnswer()(schema, value);
}
const check = createSchemaCheck();
const city = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
const of = (name: string, member: unknown): JsonSchema => ({ type: 'object', properties: { [name]: member } });

function faultOf(schema: JsonSchema): unknown {
  try {
    return check(schema, {});
  } catch (reason) {
    return reason;
  }
}
const refused = expect.objectContaining({
  code: 'invalid_request',
  message: 'The JSON Schema is not valid.',
  details: { layer: 'client', reason: 'invalid_json_schema', cause: expect.anything() },
}) as unknown;

describe('the check of a value', () => {
  it('finds nothing wrong with what fits', () => {
    expect(check(city, { city: 'Paris' })).toEqual([]);
    expect(check({}, { anything: [1] })).toEqual([]);
  });

  it('names every fault with its place', () => {
    const schema = { ...city, additionalProperties: false, required: ['city', 'country'] };
    expect(check(schema, { city: 1, x: 2 })).toEqual([
      "the value must have required property 'country'",
      'the value must NOT have additional properties',
      '/city must be string',
    ]);
    expect(check(of('list', { items: { type: 'integer' } }), { list: [1, 'b'] })).toEqual(['/list/1 must be integer']);
  });

  it.each([
    ['https://json-schema.org/draft/2020-12/schema', { prefixItems: [{ type: 'string' }] }],
    ['http://json-schema.org/draft-07/schema#', { items: [{ type: 'string' }] }],
    ['http://json-schema.org/draft-07/schema', { items: [{ type: 'string' }] }],
    // Many say nothing, or the wrong thing.
    [undefined, { prefixItems: [{ type: 'string' }] }],
    [undefined, { items: [{ type: 'string' }] }],
    ['https://json-schema.org/draft/2020-12/schema', { items: [{ type: 'string' }] }],
    ['https://example.com/my-own', { items: { type: 'string' } }],
  ])('knows the edition %s', ($schema, list) => {
    const schema = { ...($schema !== undefined && { $schema }), ...of('list', { type: 'array', ...list }) };
    expect(check(schema, { list: ['a'] })).toEqual([]);
    expect(check(schema, { list: [1] })).toEqual(['/list/0 must be string']);
  });

  it.each(['$defs', 'definitions'])('follows references into %s', (place) => {
    const node = { type: 'object', properties: { next: { $ref: `#/${place}/node` }, n: { type: 'integer' } } };
    const schema = { [place]: { node }, $ref: `#/${place}/node` };
    expect(check(schema, { n: 1, next: { n: 2, next: {} } })).toEqual([]);
    expect(check(schema, { next: { next: { n: 'x' } } })).toEqual(['/next/next/n must be integer']);
  });

  it.each([
    ['date', '2026-02-28', '2026-02-31'],
    ['date-time', '2026-02-28T12:00:00Z', 'yesterday'],
    ['email', 'a@example.com', 'a@'],
    ['uuid', '123e4567-e89b-42d3-a456-426614174000', '123'],
    ['uri', 'https://example.com/a', 'example'],
    ['ipv4', '127.0.0.1', '300.0.0.1'],
  ])('holds strings to the format %s', (format, good, bad) => {
    const schema = of('text', { type: 'string', format });
    expect(check(schema, { text: good })).toEqual([]);
    expect(check(schema, { text: bad })).toEqual([`/text must match format "${format}"`]);
  });

  it.each([
    ['formats', { type: 'string', format: 'licence-plate' }],
    ['keywords', { type: 'string', 'x-order': 1, example: 'a', optional: true }],
  ])('passes over unknown %s', (_what, member) => {
    expect(check(of('text', member), { text: 'a' })).toEqual([]);
  });

  it('takes patterns that only the older syntax allows', () => {
    const schema = of('text', { type: 'string', pattern: '^[\\w-.]+$' });
    expect(check(schema, { text: 'a-b.c' })).toEqual([]);
    expect(check(schema, { text: 'a b' })).toEqual(['/text must match pattern "^[\\w-.]+$"']);
    expect(check(of('text', { pattern: '^\\p{L}$' }), { text: 'é' })).toEqual([]);
  });

  it('keeps ids of different schemas apart', () => {
    const $id = 'https://example.com/answer';
    const inner = (type: string): JsonSchema => ({ $id, type: 'object', properties: { a: { $id: '/a', type } } });
    expect(check(inner('string'), { a: 'x' })).toEqual([]);
    expect(check(inner('integer'), { a: 'x' })).toEqual(['/a must be integer']);
    expect(
      check({ $id: 'https://json-schema.org/draft/2020-12/schema', ...of('a', { type: 'null' }) }, { a: 1 }),
    ).toEqual(['/a must be null']);
  });

  it('does not wait for a pattern that never ends', () => {
    const schema = of('text', { type: 'string', pattern: '^(a+)+$' });
    const startedAtMs = performance.now();
    expect(check(schema, { text: `${'a'.repeat(60)}!` })).toEqual(['the value cannot be checked against the schema']);
    expect(performance.now() - startedAtMs).toBeLessThan(5_000);
    // The schema itself is good, and so is the check afterwards.
    expect(check(schema, { text: 'aaa' })).toEqual([]);
  });

  it('has one time for all values of an answer', () => {
    const checks = createSchemaChecks().forAnswer();
    const schema = of('text', { type: 'string', pattern: '^(a+)+$' });
    // Half an hour otherwise.
    for (let index = 0; index < 4_000; index += 1) {
      expect(checks(schema, { text: `${'a'.repeat(60)}!` })).toEqual([
        'the value cannot be checked against the schema',
      ]);
    }
    expect(checks(schema, { text: 'aaa' })).toEqual(['the value cannot be checked against the schema']);
  });

  it('does not break at a value that is nested too deeply', () => {
    const schema = {
      $defs: { list: { type: 'array', items: { $ref: '#/$defs/list' } } },
      ...of('list', { $ref: '#/$defs/list' }),
    };
    const depth = 100_000;
    const value: unknown = JSON.parse(`{"list":${'['.repeat(depth)}${']'.repeat(depth)}}`);
    expect(check(schema, value)).toEqual(['the value cannot be checked against the schema']);
  });

  it('never takes a promise for a yes', () => {
    expect(check({ $async: true, ...city }, {})).toEqual(["the value must have required property 'city'"]);
    expect(faultOf(of('a', { $async: true, type: 'string' }))).toEqual(refused);
  });
});

describe('a schema that is none', () => {
  it.each<[string, JsonSchema]>([
    ['an unknown type', of('a', { type: 'text' })],
    ['a required that is no list', { type: 'object', required: 'a' }],
    ['properties that are no schemas', { type: 'object', properties: { a: 1 } }],
    ['an empty choice', of('a', { anyOf: [] })],
    ['a pattern that is none', of('a', { pattern: '(' })],
    ['a reference to nowhere', of('a', { $ref: '#/$defs/a' })],
    ['a reference to somewhere else', of('a', { $ref: 'https://example.com/schema' })],
    ['a negative length', of('a', { type: 'string', minLength: -1 })],
  ])('is refused for %s', (_what, schema) => {
    expect(faultOf(schema)).toBeInstanceOf(TurnError);
    expect(faultOf(schema)).toEqual(refused);
  });

  it('is refused when it is nested too deeply', () => {
    const depth = 50_000;
    const schema = JSON.parse(`${'{"not":'.repeat(depth)}{}${'}'.repeat(depth)}`) as JsonSchema;
    expect(faultOf(schema)).toEqual(refused);
  });
});

describe('the store of compiled schemas', () => {
  it('keeps what is used', () => {
    const known = createSchemaCheck();
    const schema = of('a', { enum: Array.from({ length: 5_000 }, (_, index) => `value ${index}`) });
    const time = (run: () => unknown): number => {
      const startedAtMs = performance.now();
      run();
      return performance.now() - startedAtMs;
    };
    const first = time(() => known(schema, {}));
    const later = Math.min(...Array.from({ length: 20 }, () => time(() => known({ ...schema }, {}))));
    expect(later).toBeLessThan(first);
  });

  it('stays right beyond its bounds', () => {
    const known = createSchemaCheck();
    const schemas = Array.from({ length: 250 }, (_, index) => of('a', { const: index }));
    for (let round = 0; round < 2; round += 1) {
      for (const [index, schema] of schemas.entries()) {
        expect(known(schema, { a: index })).toEqual([]);
        expect(known(schema, { a: -1 })).toEqual(['/a must be equal to constant']);
      }
    }
  });

  it('stays right for schemas too large to keep', () => {
    const known = createSchemaCheck();
    const schema = of('a', { const: 'x', description: 'y'.repeat(200_000) });
    for (let round = 0; round < 2; round += 1) {
      expect(known(schema, { a: 'x' })).toEqual([]);
      expect(known(schema, { a: 'y' })).toEqual(['/a must be equal to constant']);
    }
  });
});
