import { describe, expect, it } from '@jest/globals';
import { createNativeCalls } from './tool-native.ts';

/** What is written of these frames and blocks: `+id name`, then pieces of arguments. */
function read(...given: readonly (string | Record<string, unknown>)[]): string[] {
  const written: string[] = [];
  const calls = createNativeCalls(new Set(['f', 'g']), {
    startCall: (id, name) => written.push(`+${id} ${name}`),
    argumentsText: (text) => written.push(text),
  });
  for (const each of given) {
    if (typeof each === 'string') calls.takeBlock(each);
    else calls.takeFrame(each);
  }
  return written;
}

const delta = (id: string | undefined, name: string | undefined, text: string): Record<string, unknown> => ({
  ...(name === undefined ? {} : { delta_name: name }),
  delta_arguments: text,
  ...(id === undefined ? {} : { metadata: { tool_call_id: id } }),
});
const entry = (id: string, name: string, text: unknown): Record<string, unknown> => ({
  id,
  function: { name, arguments: text },
});

describe('native frames', () => {
  it.each<[string, Record<string, unknown>[], string[]]>([
    [
      'name and arguments apart',
      [delta('1', 'f', ''), delta('1', undefined, '{'), delta('1', undefined, '}')],
      ['+1 f', '', '{', '}'],
    ],
    ['the name in every frame', [delta('1', 'f', '{'), delta('1', 'f', '}')], ['+1 f', '{', '}']],
    ['no ids', [delta(undefined, 'f', '{}'), delta(undefined, 'f', '{}')], ['+ f', '{}', '+ f', '{}']],
    ['a foreign tool', [delta('1', 'search', '{'), delta('1', undefined, '}'), delta('2', 'g', '{}')], ['+2 g', '{}']],
    ['arguments of another call', [delta('1', 'f', '{'), delta('9', undefined, 'x')], ['+1 f', '{']],
    ['arguments of no call', [delta('1', undefined, '{}')], []],
    ['a list', [{ tool_calls: [entry('1', 'f', '{}'), entry('2', 'g', { a: 1 })] }], ['+1 f', '{}', '+2 g', '{"a":1}']],
    [
      'a list sent again',
      [{ tool_calls: [entry('1', 'f', '{}')] }, { tool_calls: [entry('1', 'f', '{}')] }],
      ['+1 f', '{}'],
    ],
    [
      'a list in chunks',
      [{ tool_calls: [entry('1', 'f', '')] }, { tool_calls: [{ index: 0, function: { arguments: '{}' } }] }],
      ['+1 f', '', '{}'],
    ],
    [
      'content blocks',
      [{ content_blocks: [{ type: 'text' }, { type: 'tool_calls', content: [{ function: { name: 'f' } }] }] }],
      ['+ f', '{}'],
    ],
    [
      'nonsense',
      [{ tool_calls: [null, 1, {}, { function: 1 }], content_blocks: [null, { type: 'tool_calls' }], delta_name: 5 }],
      [],
    ],
  ])('with %s', (_name, frames: Record<string, unknown>[], written) => {
    expect(read(...frames)).toEqual(written);
  });
});

describe('tool blocks', () => {
  const metadata = (fields: Record<string, unknown>, type = 'tool_call'): string =>
    JSON.stringify({ type, data: { metadata: fields } });

  it.each<[string, string[], string[]]>([
    ['metadata', [metadata({ id: '1', name: 'f', arguments: '{}' })], ['+1 f', '{}']],
    [
      'metadata read again',
      [
        metadata({ id: '1', name: 'f', arguments: '{}' }),
        metadata({ id: '1', name: 'f', arguments: '{}', result: 'x' }),
      ],
      ['+1 f', '{}'],
    ],
    [
      'no id, read again',
      ['{"name":"f","arguments":{"a":1}}', '{"name":"f","arguments":{"a":1}}', '{"name":"f"}'],
      ['+ f', '{"a":1}', '+ f', '{}'],
    ],
    ['a function', [JSON.stringify(entry('1', 'f', '{}'))], ['+1 f', '{}']],
    [
      'a server of the site',
      [metadata({ name: 'f', mcp_server: { name: 'mcp-server' } }), metadata({ name: 'f' }, 'mcp')],
      [],
    ],
    ['no server', [metadata({ name: 'f', arguments: '{}', mcp_server: { name: null } })], ['+ f', '{}']],
    ['no JSON, or no call', ['', '{', '[]', '{"type":"x"}', '{"name":5}'], []],
  ])('with %s', (_name, blocks: string[], written) => {
    expect(read(...blocks)).toEqual(written);
  });
});
