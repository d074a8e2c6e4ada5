import type { ResponseFormat } from '@zai2api/turn';
import { isRecord } from '../../is-record.ts';
import { describesObject } from '../request/describes-object.ts';
import type { IgnoredFields } from '../request/ignored-fields.ts';
import { invalidValue } from '../request/request-fault.ts';
import type { WireConversation } from './wire-schema.ts';

/**
 * What the answer's text must be: `output_config.format`, or `output_format` as it was called before. A schema is always binding here. Throws
 * `invalid_json_schema` unless it describes an object; types of formats that nobody knows are named as ignored.
 */
export function decodeResponseFormat(
  { output_config: config, output_format: former }: WireConversation,
  ignored: IgnoredFields,
): ResponseFormat {
  const path = config?.format ? 'output_config.format' : 'output_format';
  const format = config?.format ?? former;
  if (!format || format.type === 'text') return { type: 'text' };
  if (format.type !== 'json_schema') {
    ignored.add(path);
    return { type: 'text' };
  }
  const { schema } = format;
  if (!isRecord(schema) || !describesObject(schema)) {
    throw invalidValue(`${path}.schema`, 'expected a JSON Schema whose root is an object.', 'invalid_json_schema');
  }
  return { type: 'json-schema', name: 'answer', schema, strict: true, param: `${path}.schema` };
}
