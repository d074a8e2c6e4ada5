import type { ToolDefinition } from '@zai2api/turn';
import { isRecord } from '../is-record.ts';
import { tryParseJson } from '../try-parse-json.ts';

const KEY_OPEN = '<arg_key>';
const KEY_CLOSE = '</arg_key>';
const valueOpen = /\s*<arg_value>/y;
const VALUE_CLOSE = '</arg_value>';

/** Each key with its value. Not by one pattern: a model that repeats a tag without its end would make that go back for ever. */
function* findPairs(text: string): Generator<{ readonly key: string; readonly value: string }> {
  for (let at = text.indexOf(KEY_OPEN); at >= 0; at = text.indexOf(KEY_OPEN, at)) {
    const keyEnd = text.indexOf(KEY_CLOSE, at);
    if (keyEnd < 0) return;
    const key = text.slice(at + KEY_OPEN.length, keyEnd);
    at = keyEnd + KEY_CLOSE.length;
    valueOpen.lastIndex = at;
    if (!valueOpen.test(text)) continue;
    const valueEnd = text.indexOf(VALUE_CLOSE, valueOpen.lastIndex);
    if (valueEnd < 0) return;
    yield { key, value: text.slice(valueOpen.lastIndex, valueEnd) };
    at = valueEnd + VALUE_CLOSE.length;
  }
}

/**
 * Arguments as JSON from the pairs that GLM models were trained to write: `<arg_key>city</arg_key><arg_value>Paris</arg_value>`. A value
 * is JSON, except where the tool wants a string: that stands there without quotes.
 */
export function readArgumentPairs(text: string, tool: ToolDefinition | undefined): string {
  const properties = tool && isRecord(tool.parameters['properties']) ? tool.parameters['properties'] : {};
  const members = Array.from(findPairs(text), ({ key, value }) => {
    const name = key.trim();
    return `${JSON.stringify(name)}:${encodeValue(value, properties[name])}`;
  });
  return `{${members.join(',')}}`;
}

function encodeValue(value: string, schema: unknown): string {
  const isString = isRecord(schema) && schema['type'] === 'string';
  const json = value.trim();
  return !isString && tryParseJson(json) !== undefined ? json : JSON.stringify(value);
}
