import { describe, expect, it } from '@jest/globals';
import type { UpstreamModel } from '@zai2api/dialects';
import { TurnError, type TurnAttachment, type TurnMessage } from '@zai2api/turn';
import type { MediaFetcher } from './fetch-media.ts';
import { MediaFault } from './media-fault.ts';
import { createAttachmentReader, type AttachmentReaderOptions, type ReadConversation } from './read-attachments.ts';

const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
const pdf = Buffer.from('%PDF-1.7\n');
const never = new AbortController().signal;

const model = (vision: boolean): UpstreamModel => ({
  id: 'glm-test',
  upstreamId: 'GLM-Test',
  name: 'GLM-Test',
  createdAtSeconds: 0,
  ownedBy: 'z-ai',
  hidden: false,
  capabilities: { vision, thinking: true, reasoningEffort: false, webSearch: true },
});

const data = (bytes: Buffer | string, changes: Partial<TurnAttachment> = {}): TurnAttachment => ({
  kind: 'image',
  source: { type: 'data', mediaType: 'image/png', base64: Buffer.from(bytes).toString('base64') },
  param: 'messages[0].content[0]',
  ...changes,
});
const address = (url: string, changes: Partial<TurnAttachment> = {}): TurnAttachment =>
  data('', { source: { type: 'url', url }, ...changes });
const user = (text: string, ...attachments: TurnAttachment[]): TurnMessage => ({ role: 'user', text, attachments });

/** `name:size` of a made-up web; everything else is unreachable. */
const fetchMedia: MediaFetcher = async (url, maxBytes, signal) => {
  if (url.endsWith('/hang')) {
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    throw new MediaFault('unreachable', 'aborted');
  }
  const bytes = url.endsWith('.png') ? png : url.endsWith('.txt') ? Buffer.from('from the web') : undefined;
  if (!bytes) throw new MediaFault('unreachable', 'nothing there');
  if (bytes.length > maxBytes) throw new MediaFault('too-large', 'counted');
  return bytes;
};

function read(
  messages: readonly TurnMessage[],
  options: Partial<AttachmentReaderOptions & { vision: boolean; signal: AbortSignal }> = {},
): Promise<ReadConversation> {
  const { vision = true, signal = never, ...limits } = options;
  const reader = createAttachmentReader({
    fetchMedia,
    maxBytesPerFile: 1_000,
    maxBytes: 10_000,
    timeoutMs: 5_000,
    ...limits,
  });
  return reader(messages, model(vision), signal);
}

async function errorOf(reading: Promise<unknown>): Promise<Record<string, unknown>> {
  const error = TurnError.from(
    await reading.then(
      () => new Error('read'),
      (reason: unknown) => reason,
    ),
  );
  return { code: error.code, reason: error.details.reason, param: error.details.param, message: error.message };
}

describe('reading attachments', () => {
  it('leaves a conversation without any as it is', async () => {
    const messages = [user('hi')];
    expect((await read(messages, { vision: false })).messages).toBe(messages);
  });

  it('gives the bytes in the order of the conversation and keeps no Base64', async () => {
    const { messages, media } = await read([
      { role: 'system', text: 's' },
      user('a', data(png, { filename: 'cat.png' }), address('https://x.example/b.png')),
      { role: 'assistant', text: 'b', toolCalls: [] },
      user('', data(pdf, { kind: 'document', filename: 'report', param: 'messages[3].content[0]' })),
    ]);
    expect(media.map(({ kind, mediaType, filename, param }) => [kind, mediaType, filename, param])).toEqual([
      ['image', 'image/png', 'cat.png', 'messages[0].content[0]'],
      ['image', 'image/png', 'image-2.png', 'messages[0].content[0]'],
      ['document', 'application/pdf', 'report.pdf', 'messages[3].content[0]'],
    ]);
    expect(media.map(({ bytes }) => Buffer.from(bytes))).toEqual([png, png, pdf]);
    expect(messages.map((message) => (message.role === 'user' ? message.attachments.length : message.role))).toEqual([
      'system',
      2,
      'assistant',
      1,
    ]);
    expect(JSON.stringify(messages)).not.toContain(png.toString('base64'));
  });

  it('puts documents that are text into their message', async () => {
    const { messages, media } = await read([
      user(
        'Sum up.',
        data('from a file\n', { kind: 'document', filename: 'a "b".log' }),
        address('https://x.example/c.txt', { kind: 'document' }),
      ),
    ]);
    expect(media).toEqual([]);
    expect(messages).toEqual([
      user(
        'Sum up.\n<document name="a b .log">\nfrom a file\n</document>\n<document name="document">\nfrom the web\n</document>',
      ),
    ]);
  });

  it.each([
    ['image', 'image_input_not_supported'],
    ['video', 'video_input_not_supported'],
  ] as const)('refuses %s for a model that cannot see, before it fetches', async (kind, reason) => {
    const reading = read([user('', address('https://x.example/hang', { kind, param: 'messages[4].content[1]' }))], {
      vision: false,
    });
    expect(await errorOf(reading)).toMatchObject({ code: 'unsupported', reason, param: 'messages[4].content[1]' });
  });

  it('takes a document for any model', async () => {
    expect((await read([user('', data(pdf, { kind: 'document' }))], { vision: false })).media).toHaveLength(1);
  });

  it.each<[string, TurnAttachment, string, RegExp]>([
    [
      'no Base64',
      data('', { source: { type: 'data', mediaType: 'image/png', base64: '***' } }),
      'invalid_image_url',
      /Base64/,
    ],
    ['a lie about the type', data('<svg/>'), 'invalid_image_url', /not an image/],
    ['a picture as a film', data(png, { kind: 'video' }), 'invalid_video_url', /not a video/],
    ['a picture as a document', data(png, { kind: 'document' }), 'invalid_file_data', /not a document/],
    ['text as a picture', address('https://x.example/a.txt'), 'invalid_image_url', /not an image/],
    ['too many bytes', data(Buffer.alloc(1_001)), 'invalid_image_url', /too large/],
    ['an address', address('https://10.0.0.1/?key=secret'), 'invalid_image_url', /could not be fetched/],
    ['an address of a file', address('http://x/', { kind: 'document' }), 'invalid_file_url', /could not be fetched/],
  ])('refuses %s', async (_what, attachment, reason, message) => {
    const error = await errorOf(read([user('', attachment)]));
    expect(error).toEqual({
      code: 'invalid_request',
      reason,
      param: 'messages[0].content[0]',
      message: expect.stringMatching(message),
    });
    expect(error['message']).not.toMatch(/10\.0|secret/);
  });

  it('limits all files together, and their number', async () => {
    const maxBytes = 2 * png.length;
    const image = data(png);
    const fetched = address('https://x.example/a.png', { param: 'last' });
    expect((await read([user('', image, fetched)], { maxBytes })).media).toHaveLength(2);
    expect(await errorOf(read([user('', image, { ...image }, fetched)], { maxBytes }))).toMatchObject({
      reason: 'invalid_image_url',
      message: expect.stringMatching(/too large/),
    });
    const many = Array.from({ length: 51 }, (_none, index) => data(png, { param: `part ${index}` }));
    expect(await errorOf(read([user('', ...many)]))).toMatchObject({ reason: 'too_many_files', param: 'part 50' });
  });

  it('gives up after the time for all of them', async () => {
    const hanging = Array.from({ length: 9 }, () => address('https://x.example/hang'));
    expect(await errorOf(read([user('', ...hanging)], { timeoutMs: 20 }))).toMatchObject({
      reason: 'invalid_image_url',
    });
  });

  it('is cancelled with its request', async () => {
    const leaving = new AbortController();
    const reading = errorOf(read([user('', address('https://x.example/hang'))], { signal: leaving.signal }));
    leaving.abort();
    expect(await reading).toMatchObject({ code: 'cancelled' });
  });
});
