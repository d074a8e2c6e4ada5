import { describe, expect, it } from '@jest/globals';
import { decodeOpenAiChatRequest } from './decode-request.ts';

const decodeParts = (...content: object[]) => decodeOpenAiChatRequest({ messages: [{ role: 'user', content }] });
const base64 = (text: string) => Buffer.from(text).toString('base64');
const png = 'iVBORw0KGgo=';
const pngUrl = `data:image/png;base64,${png}`;
const param = 'messages[0].content[0]';
const data = (mediaType: string, bytes: string) => ({ type: 'data', mediaType, base64: bytes });
const address = (url: string) => ({ type: 'url', url });

describe('a content part', () => {
  it.each<[object, object]>([
    [
      { type: 'image_url', image_url: { url: pngUrl, detail: 'auto' } },
      { kind: 'image', source: data('image/png', png) },
    ],
    [
      { type: 'image_url', image_url: pngUrl },
      { kind: 'image', source: data('image/png', png) },
    ],
    [
      { type: 'input_image', image_url: pngUrl, file_id: null },
      { kind: 'image', source: data('image/png', png) },
    ],
    [
      { type: 'image_url', image_url: { url: 'https://a.example/b.png?c=d' } },
      { kind: 'image', source: address('https://a.example/b.png?c=d') },
    ],
    [
      { type: 'image_url', image_url: { url: 'HTTP://127.0.0.1' } },
      { kind: 'image', source: address('HTTP://127.0.0.1') },
    ],
    [
      { type: 'video_url', video_url: { url: 'https://a.example/b.mp4' } },
      { kind: 'video', source: address('https://a.example/b.mp4') },
    ],
    [
      { type: 'input_video', video_url: `data:video/mp4;base64,${png}` },
      { kind: 'video', source: data('video/mp4', png) },
    ],
    [
      { type: 'file', file: { file_data: `data:application/pdf;base64,${png}`, filename: 'a.pdf' } },
      { kind: 'document', source: data('application/pdf', png), filename: 'a.pdf' },
    ],
    [
      { type: 'input_file', file_data: png, filename: 'A.PDF' },
      { kind: 'document', source: data('application/pdf', png), filename: 'A.PDF' },
    ],
    [
      { type: 'file', file: { file_data: png } },
      { kind: 'document', source: data('application/octet-stream', png) },
    ],
    [
      { type: 'file_url', file_url: { url: 'https://a.example/b.pdf' } },
      { kind: 'document', source: address('https://a.example/b.pdf') },
    ],
    [
      { type: 'file', file: { file_data: `data:application/octet-stream;base64,${png}`, filename: 'a.png' } },
      { kind: 'image', source: data('image/png', png), filename: 'a.png' },
    ],
    // Said to be text, but it is none.
    [
      { type: 'file', file: { file_data: '/////w==', filename: 'a.txt' } },
      { kind: 'document', source: data('text/plain', '/////w=='), filename: 'a.txt' },
    ],
    [
      { type: 'file', file: { file_data: `data:text/csv;base64,AAAA` } },
      { kind: 'document', source: data('text/csv', 'AAAA') },
    ],
  ])('%j goes along', (part, attachment) => {
    const { request, warnings } = decodeParts(part);
    expect(request.messages).toEqual([{ role: 'user', text: '', attachments: [{ ...attachment, param }] }]);
    expect(warnings).toEqual([]);
  });

  it('keeps its order and its path beside text', () => {
    const image = (url: string) => ({ type: 'image_url', image_url: { url } });
    const { request } = decodeParts(
      { type: 'text', text: 'Compare' },
      image('https://a.example/1'),
      image('https://a.example/2'),
      { type: 'text', text: 'them.' },
    );
    expect(request.messages).toEqual([
      {
        role: 'user',
        text: 'Compare\nthem.',
        attachments: [
          { kind: 'image', source: address('https://a.example/1'), param: 'messages[0].content[1]' },
          { kind: 'image', source: address('https://a.example/2'), param: 'messages[0].content[2]' },
        ],
      },
    ]);
  });

  it.each<[object, string]>([
    [
      { file_data: `data:text/plain;base64,${base64('Grüße\n')}`, filename: 'a.txt' },
      '<document name="a.txt">\nGrüße\n</document>',
    ],
    [{ file_data: base64('{"a":1}'), filename: 'a b.json' }, '<document name="a b.json">\n{"a":1}\n</document>'],
    [{ file_data: `data:text/markdown;base64,${base64('# A')}` }, '<document name="document">\n# A\n</document>'],
    [{ file_data: base64('x'), filename: '">\n<b.md' }, '<document name="b.md">\nx\n</document>'],
  ])('%j is inlined', (file, text) => {
    const { request } = decodeParts({ type: 'text', text: 'Read:' }, { type: 'file', file });
    expect(request.messages).toEqual([{ role: 'user', text: `Read:\n${text}`, attachments: [] }]);
  });

  const missing = 'missing_required_parameter';
  it.each<[object, string, string]>([
    [{ type: 'image_url' }, `${param}.image_url`, missing],
    [{ type: 'image_url', image_url: {} }, `${param}.image_url.url`, missing],
    [{ type: 'image_url', image_url: 5 }, `${param}.image_url`, 'invalid_type'],
    ...[
      '',
      'x',
      png,
      'file:///etc/passwd',
      'ftp://a.example/b.png',
      'https://',
      'data:image/png,AAAA',
      'data:image/png;base64,',
      'data:image/png;base64,!',
      `data:;base64,${png}`,
      `data:text/plain;base64,${png}`,
    ].map((url): [object, string, string] => [{ type: 'image_url', image_url: { url } }, param, 'invalid_image_url']),
    [{ type: 'video_url', video_url: { url: pngUrl } }, param, 'invalid_video_url'],
    [{ type: 'video_url' }, `${param}.video_url`, missing],
    [{ type: 'file' }, `${param}.file`, missing],
    [{ type: 'file', file: {} }, `${param}.file.file_data`, missing],
    [{ type: 'input_file' }, `${param}.file_data`, missing],
    [{ type: 'file', file: { file_data: '' } }, param, 'invalid_file_data'],
    [{ type: 'file', file: { file_data: 'https://a.example' } }, param, 'invalid_file_data'],
    [{ type: 'file_url', file_url: { url: 'file:///etc/passwd' } }, param, 'invalid_file_url'],
    [{ type: 'hologram' }, `${param}.type`, 'invalid_value'],
  ])('%j is refused at %s', (part, path, reason) => {
    expect(() => decodeParts(part)).toThrow(
      expect.objectContaining({
        code: 'invalid_request',
        details: { layer: 'client', param: path, reason },
      }),
    );
  });

  it.each<[object, string]>([
    [{ type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } }, 'audio_input_not_supported'],
    [{ type: 'audio_url' }, 'audio_input_not_supported'],
    [{ type: 'file', file: { file_data: 'data:audio/wav;base64,AAAA' } }, 'audio_input_not_supported'],
    [{ type: 'file', file: { file_id: 'file-1' } }, 'file_input_not_supported'],
    [{ type: 'input_file', file_id: 'file-1' }, 'file_input_not_supported'],
    [{ type: 'input_image', file_id: 'file-1' }, 'file_input_not_supported'],
    [{ type: 'image', source: {} }, 'image_input_not_supported'],
  ])('%j cannot be given', (part, reason) => {
    expect(() => decodeParts(part)).toThrow(
      expect.objectContaining({ code: 'unsupported', details: { layer: 'client', param, reason } }),
    );
  });

  it('has fields without effect', () => {
    const { warnings } = decodeParts(
      { type: 'image_url', image_url: { url: pngUrl, detail: 'high' }, cache_control: { type: 'ephemeral' } },
      { type: 'file', file: { file_data: png, mime: 'x' } },
    );
    expect(warnings.map(({ field }) => field)).toEqual([
      'messages[].content[].cache_control',
      'messages[].content[].image_url.detail',
      'messages[].content[].file.mime',
    ]);
  });

  it.each(['system', 'developer'])('is text alone in %s messages', (role) => {
    const content = [{ type: 'image_url', image_url: { url: pngUrl } }];
    expect(() => decodeOpenAiChatRequest({ messages: [{ role, content }] })).toThrow(
      expect.objectContaining({
        details: expect.objectContaining({ param: `${param}.type` }) as object,
      }),
    );
  });
});
