import type { ResponseFormat } from '@zai2api/turn';
import { isRecord } from '../../is-record.ts';
import { describesObject } from '../request/describes-object.ts';
import type { IgnoredFields } from '../request/ignored-fields.ts';
import { invalidValue, required } from '../request/request-fault.ts';
import { jsonSchemaFormatSchema, responseFormatSchema, type WireRequest } from './wire-schema.ts';

const schemaPath = 'response_format.json_schema.schema';

/**
 * What the answer's text must be (contract 1.5). The description of a schema goes into the schema, where the model reads it. Throws
 * `invalid_json_schema` unless the schema describes an object; whether it is a schema at all is checked where it is compiled.
 */
export function decodeResponseFormat(wire: WireRequest, ignored: IgnoredFields): ResponseFormat {
  const format = wire.response_format;
  if (!format) return { type: 'text' };
  ignored.addUnknown(format, responseFormatSchema.shape, 'response_format.');
  if (format.type === 'text') return { type: 'text' };
  if (format.type === 'json_object') return { type: 'json-object' };

  const declared = required(format.json_schema, 'response_format.json_schema');
  ignored.addUnknown(declared, jsonSchemaFormatSchema.shape, 'response_format.json_schema.');
  const { name, description, schema, strict } = declared;
  if (!isRecord(schema) || !describesObject(schema)) {
    throw invalidValue(schemaPath, 'expected a JSON Schema whose root is an object.', 'invalid_json_schema');
  }
  return {
    type: 'json-schema',
    name,
    schema: description === undefined ? schema : { description, ...schema },
    strict: strict ?? false,
  };
}
