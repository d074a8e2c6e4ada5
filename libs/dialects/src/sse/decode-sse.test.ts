import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createSseDecoder, type SseFrame } from './decode-sse.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

interface Decoded {
  readonly frames: SseFrame[];
  readonly cut: string;
}

function decode(chunks: Iterable<Uint8Array>): Decoded {
  const frames: SseFrame[] = [];
  const decoder = createSseDecoder({ frame: (frame) => frames.push(frame), run: () => false });
  for (const chunk of chunks) decoder.push(chunk);
  const end = decoder.end();
  return { frames: [...frames, ...end.frames], cut: end.cut };
}

const dataOf = (text: string): string[] => decode([bytesOf(text)]).frames.map(({ data }) => data);

describe('frames', () => {
  it.each<[string, string, string[]]>([
    ['line feeds', 'data: a\n\ndata: b\n\n', ['a', 'b']],
    ['CRLF', 'data: a\r\n\r\ndata: b\r\n\r\n', ['a', 'b']],
    ['lone CR', 'data: a\r\rdata: b\r\r', ['a', 'b']],
    ['no space behind the colon', 'data:a\n\n', ['a']],
    ['a second space', 'data:  a\n\n', [' a']],
    ['several data lines', 'data: a\ndata: b\n\n', ['a\nb']],
    ['comments and other fields', ': hello\nid: 1\nretry: 5\ndata: a\n\n: bye\n\n', ['a']],
    ['a byte order mark', '\u{FEFF}data: a\n\n', ['a']],
    ['a missing last blank line', 'data: a\n\ndata: b\n', ['a', 'b']],
    ['a missing last line break', 'data: a\n\ndata: b', ['a', 'b']],
    ['blank lines alone', '\n\n\n', []],
    ['nothing', '', []],
  ])('are read with %s', (_name, text, data) => {
    expect(dataOf(text)).toEqual(data);
  });

  it('carry the event name', () => {
    expect(decode([bytesOf('event: error\ndata: {}\n\ndata: x\n\n')]).frames).toEqual([
      { event: 'error', data: '{}' },
      { event: undefined, data: 'x' },
    ]);
  });

  it('come with the chunk that completes them', () => {
    const frames: SseFrame[] = [];
    const decoder = createSseDecoder({ frame: (frame) => frames.push(frame), run: () => false });
    decoder.push(bytesOf('data: a\n'));
    expect(frames).toEqual([]);
    decoder.push(bytesOf('\ndat'));
    expect(frames).toEqual([{ event: undefined, data: 'a' }]);
    expect(decoder.end()).toEqual({ frames: [], cut: 'other' });
  });

  it('are offered together where they are whole', () => {
    const said: string[] = [];
    const decoder = createSseDecoder({
      frame: ({ data }) => said.push(`frame ${data}`),
      run(text) {
        said.push(`run ${text}`);
        return !text.includes('c');
      },
    });
    decoder.push(bytesOf('data: a\n\ndata: b\n\ndata: '));
    decoder.push(bytesOf('b\n\ndata: c\n\ndata: d\n\n'));
    decoder.push(bytesOf('data: e\n\n'));
    expect(said).toEqual([
      'frame a',
      'run data: b\n\n',
      'frame b',
      'run data: c\n\ndata: d\n\n',
      'frame c',
      'frame d',
      'run data: e\n\n',
    ]);
  });
});

describe('the end', () => {
  it.each<[string, string, string]>([
    ['behind a blank line', 'data: a\n\n', 'no'],
    ['behind a data line', 'data: a\n', 'no'],
    ['behind a CR', 'data: a\r', 'no'],
    ['with no bytes at all', '', 'no'],
    ['inside data', 'data: {"a":', 'data'],
    ['right behind the field name', 'data:', 'data'],
    ['inside the field name', 'data: a\n\nda', 'other'],
    ['inside a comment', 'data: a\n\n: keep-al', 'other'],
    ['inside an event name', 'event: err', 'other'],
    ['inside a UTF-8 sequence', 'data: ä', 'data'],
  ])('%s', (_name, text, cut) => {
    const bytes = bytesOf(text);
    const whole = text.endsWith('ä') ? bytes.subarray(0, -1) : bytes;
    expect(decode([whole]).cut).toBe(cut);
  });
});

it('says the same for any cut of any stream', () => {
  const piece = fc.oneof(
    fc.constantFrom('\r\n', '\n', '\r', '\n\n', '\r\n\r\n', 'data: ', 'data:', ': ', 'event: ', '🚀', '你', '\u{FEFF}'),
    fc.string({ unit: 'grapheme', maxLength: 8 }),
  );
  fc.assert(
    fc.property(fc.array(piece), fc.array(fc.nat(), { maxLength: 8 }), (pieces, at) => {
      const bytes = bytesOf(pieces.join(''));
      const places = [0, ...at.map((place) => place % (bytes.length + 1)).sort((one, other) => one - other)];
      const chunks = places.map((start, index) => bytes.subarray(start, places[index + 1]));
      const whole = decode([bytes]);
      expect(decode(chunks)).toEqual(whole);
      expect(decode(Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(whole);
    }),
  );
});

it('takes any bytes', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array()), (chunks) => {
      expect(['no', 'data', 'other']).toContain(decode(chunks).cut);
    }),
  );
});
