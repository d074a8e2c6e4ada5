import { describe, expect, it } from '@jest/globals';
import type { ResponseFormat } from '@zai2api/turn';
import { decodeOpenAiChatRequest } from './decode-request.ts';

const decode = (format: unknown) =>
  decodeOpenAiChatRequest({ messages: [{ role: 'user', content: 'Hi' }], response_format: format });
const wrap = (fields: object) => ({ type: 'json_schema', json_schema: { name: 'answer', ...fields } });
const schema = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] };
const decoded = (over: object = {}) => ({ type: 'json-schema', name: 'answer', schema, strict: false, ...over });

describe('the format of the answer', () => {
  it.each<[unknown, unknown]>([
    [null, { type: 'text' }],
    [{ type: 'text' }, { type: 'text' }],
    [{ type: 'json_object' }, { type: 'json-object' } satisfies ResponseFormat],
    [wrap({ schema }), decoded()],
    [wrap({ schema, strict: null, description: null }), decoded()],
    [wrap({ schema, strict: true }), decoded({ strict: true })],
    [wrap({ schema: {} }), decoded({ schema: {} })],
    [
      wrap({ schema: { $ref: '#/$defs/a', $defs: { a: schema } } }),
      decoded({ schema: { $ref: '#/$defs/a', $defs: { a: schema } } }),
    ],
    [wrap({ schema, description: 'An answer.' }), decoded({ schema: { description: 'An answer.', ...schema } })],
    [
      wrap({ schema: { ...schema, description: 'Its own.' }, description: 'An answer.' }),
      decoded({ schema: { ...schema, description: 'Its own.' } }),
    ],
  ])('%j', (format, expected) => {
    const { request, warnings } = decode(format);
    expect(request.responseFormat).toEqual(expected);
    expect(warnings).toEqual([]);
  });

  const path = 'response_format.json_schema';
  it.each<[unknown, string, string]>([
    [{ type: 'xml' }, 'response_format.type', 'invalid_value'],
    ['json', 'response_format', 'invalid_type'],
    [{ type: 'json_schema' }, path, 'missing_required_parameter'],
    [{ type: 'json_schema', json_schema: { schema } }, `${path}.name`, 'missing_required_parameter'],
    [wrap({ name: 'an answer', schema }), `${path}.name`, 'invalid_value'],
    [wrap({ schema, strict: 'yes' }), `${path}.strict`, 'invalid_type'],
    ...[
      undefined,
      null,
      true,
      'object',
      [],
      { type: 'array' },
      { type: ['object', 'null'] },
      { type: null },
      { anyOf: [schema] },
      { oneOf: [schema] },
      { enum: [1] },
    ].map((bad): [unknown, string, string] => [wrap({ schema: bad }), `${path}.schema`, 'invalid_json_schema']),
  ])('%j is refused at %s', (format, param, reason) => {
    expect(() => decode(format)).toThrow(
      expect.objectContaining({
        code: 'invalid_request',
        details: { layer: 'client', param, reason },
      }),
    );
  });

  it('has parts without effect', () => {
    const fields = decode({ ...wrap({ schema, title: 'x' }), extra: 1 }).warnings.map(({ field }) => field);
    expect(fields).toEqual(['response_format.extra', 'response_format.json_schema.title']);
  });
});
