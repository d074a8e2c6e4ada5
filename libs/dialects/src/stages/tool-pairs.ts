import type { ToolDefinition } from '@zai2api/turn';
import { isRecord } from '../is-record.ts';
import { parseJson } from '../parse-json.ts';

const pair = /<arg_key>([\s\S]*?)<\/arg_key>\s*<arg_value>([\s\S]*?)<\/arg_value>/g;

/**
 * Arguments as JSON from the pairs that GLM models were trained to write: `<arg_key>city</arg_key><arg_value>Paris</arg_value>`. A value
 * is JSON, except where the tool wants a string: that stands there without quotes.
 */
export function readArgumentPairs(text: string, tool: ToolDefinition | undefined): string {
  const properties = tool && isRecord(tool.parameters['properties']) ? tool.parameters['properties'] : {};
  const members = Array.from(text.matchAll(pair), ([, key = '', value = '']) => {
    const name = key.trim();
    return `${JSON.stringify(name)}:${encodeValue(value, properties[name])}`;
  });
  return `{${members.join(',')}}`;
}

function encodeValue(value: string, schema: unknown): string {
  const isString = isRecord(schema) && schema['type'] === 'string';
  const json = value.trim();
  return !isString && parseJson(json) !== undefined ? json : JSON.stringify(value);
}
