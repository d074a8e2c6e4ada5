import type { ResponseFormat } from '@zai2api/turn';
import { isRecord } from '../../is-record.ts';
import { describesObject } from '../request/describes-object.ts';
import type { IgnoredFields } from '../request/ignored-fields.ts';
import { invalidValue, required } from '../request/request-fault.ts';
import { textFormatSchema, textSchema, type WireRequest } from './wire-schema.ts';

const schemaPath = 'text.format.schema';

/**
 * What the answer's text must be (contract 2.3). The description of a schema goes into the schema, where the model reads it. Throws
 * `invalid_json_schema` unless the schema describes an object; whether it is a schema at all is checked where it is compiled.
 */
export function decodeResponseFormat({ text }: WireRequest, ignored: IgnoredFields): ResponseFormat {
  if (text) ignored.addUnknown(text, textSchema.shape, 'text.');
  const format = text?.format;
  if (text?.verbosity !== undefined) ignored.addUnlessDefault('verbosity', text.verbosity, 'text.');
  if (!format) return { type: 'text' };
  ignored.addUnknown(format, textFormatSchema.shape, 'text.format.');
  if (format.type === 'text') return { type: 'text' };
  if (format.type === 'json_object') return { type: 'json-object' };

  const { description, schema, strict = false } = format;
  const name = required(format.name, 'text.format.name');
  if (!isRecord(required(schema, schemaPath)) || !isRecord(schema) || !describesObject(schema)) {
    throw invalidValue(schemaPath, 'expected a JSON Schema whose root is an object.', 'invalid_json_schema');
  }
  return {
    type: 'json-schema',
    name,
    schema: description === undefined ? schema : { description, ...schema },
    strict,
    param: schemaPath,
  };
}
