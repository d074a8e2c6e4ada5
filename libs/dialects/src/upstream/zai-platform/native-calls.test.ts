import { describe, expect, it } from '@jest/globals';
import { createNativeCalls } from './native-calls.ts';

describe('calls that come mixed', () => {
  it('are not read again from their beginning with every piece', () => {
    const told = new Map<string, number>();
    let open = '';
    const calls = createNativeCalls({
      startCall(_callId, name) {
        open = name;
        told.set(open, 0);
      },
      argumentsText: (text) => told.set(open, (told.get(open) ?? 0) + text.length),
      endCall: () => undefined,
    });
    const piece = (index: number, text: string, name?: string) =>
      calls.take([{ index, function: { name, arguments: text } }]);
    piece(0, '{"a":"', 'f');
    piece(1, '{"a":"', 'g');
    // Takes hours otherwise.
    for (let count = 0; count < 50_000; count += 1) {
      piece(0, 'some text ');
      piece(1, 'some text ');
    }
    expect([...told.keys()]).toEqual(['f']);
    piece(0, '"}');
    expect(calls.unfinished).toBe(true);
    piece(1, '"}');
    expect(calls.unfinished).toBe(false);
    expect([...told]).toEqual([
      ['f', 500_008],
      ['g', 500_008],
    ]);
  });

  it('are two where one id comes with two indexes, and one where it is repeated', () => {
    const told: string[] = [];
    const calls = createNativeCalls({
      startCall: (_callId, name) => told.push(name),
      argumentsText: (text) => told.push(text),
      endCall: () => undefined,
    });
    const piece = (index: number, text: string, name?: string) =>
      calls.take([{ index, id: 'call_1', function: { name, arguments: text } }]);
    piece(0, '{"a":', 'f');
    piece(0, '1}', 'f');
    piece(1, '{"b":', 'g');
    piece(1, '2}');
    calls.end();
    expect(told).toEqual(['f', '{"a":', '1}', 'g', '{"b":', '2}']);
  });
});
