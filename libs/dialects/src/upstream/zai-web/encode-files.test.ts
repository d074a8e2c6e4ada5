import { describe, expect, it } from '@jest/globals';
import type { TurnAttachment, TurnMessage } from '@zai2api/turn';
import {
  decodeFileId,
  encodeContent,
  encodeFiles,
  encodeFileUpload,
  encodeServers,
  nameAttachments,
  type CompletionFile,
} from './encode-files.ts';

const file = (kind: CompletionFile['kind'], id: string): CompletionFile => ({
  kind,
  id,
  filename: `${id}.bin`,
  size: 12345,
  itemId: `item-${id}`,
});

describe('an upload', () => {
  it('carries the token and leaves the content type to the form', () => {
    const profile = {
      base: 'https://chat.z.ai',
      signingSecret: 's',
      userAgent: 'agent',
      language: 'en-US',
      timeZone: 'UTC',
      region: 'overseas',
      deviceId: 'd',
    };
    expect(encodeFileUpload({ profile, token: 't' })).toEqual({
      method: 'POST',
      url: 'https://chat.z.ai/api/v1/files/',
      headers: {
        'User-Agent': 'agent',
        Accept: 'application/json',
        'Accept-Language': 'en-US',
        Origin: 'https://chat.z.ai',
        Referer: 'https://chat.z.ai/',
        Authorization: 'Bearer t',
      },
    });
  });

  it('is answered with an id', () => {
    expect(decodeFileId({ id: 'f-1', filename: 'cat.png', meta: {} })).toBe('f-1');
    for (const body of [undefined, null, 'f-1', [], {}, { id: '' }, { id: 7 }]) {
      expect(() => decodeFileId(body)).toThrow('without giving it an id');
    }
  });
});

describe('files in a completion', () => {
  it('stand in both places', () => {
    expect(encodeFiles([file('image', 'f-1')], 'u-1')).toEqual([
      {
        type: 'image',
        file: { id: 'f-1', filename: 'f-1.bin', meta: { size: 12345 } },
        id: 'f-1',
        url: '/api/v1/files/f-1/content',
        name: 'f-1.bin',
        status: 'uploaded',
        size: 12345,
        error: '',
        itemId: 'item-f-1',
        media: 'image',
        ref_user_msg_id: 'u-1',
      },
    ]);
    expect(encodeContent('what is it?', [file('image', 'f-1'), file('video', 'f-2')])).toEqual([
      { type: 'text', text: 'what is it?' },
      { type: 'image_url', image_url: { url: 'f-1' } },
      { type: 'video_url', video_url: { url: 'f-2' } },
    ]);
  });

  it('are no content parts when they are documents', () => {
    expect(encodeFiles([file('document', 'f-1')], 'u-1')).toMatchObject([{ type: 'file', media: 'doc' }]);
    expect(encodeContent('sum up', [file('document', 'f-1')])).toBe('sum up');
    expect(encodeContent('hi', [])).toBe('hi');
  });

  it('bring the servers for vision', () => {
    const vision = ['vlm-image-search', 'vlm-image-recognition', 'vlm-image-processing'];
    expect(encodeServers({ search: false, files: [file('image', 'f')] })).toEqual(vision);
    expect(encodeServers({ search: true, files: [file('video', 'f')] })).toEqual(['deep-web-search', ...vision]);
    expect(encodeServers({ search: false, files: [file('document', 'f')] })).toEqual([]);
    expect(encodeServers({ search: true, files: [] })).toEqual(['deep-web-search']);
  });
});

describe('nameAttachments', () => {
  const attachment = (kind: TurnAttachment['kind'], filename?: string): TurnAttachment => ({
    kind,
    source: { type: 'data', mediaType: '', base64: '' },
    filename,
    param: '',
  });
  const user = (text: string, ...attachments: TurnAttachment[]): TurnMessage => ({ role: 'user', text, attachments });

  it('leaves a lone message alone', () => {
    const messages = [user('hi', attachment('image'))];
    expect(nameAttachments(messages)).toBe(messages);
  });

  it('numbers by kind over the whole conversation', () => {
    const messages: TurnMessage[] = [
      { role: 'system', text: 's' },
      user('first', attachment('image'), attachment('document', 'a [b]\n.pdf')),
      { role: 'assistant', text: 'answer', toolCalls: [] },
      user('no files'),
      user('', attachment('video', 'film.mp4'), attachment('image', 'cat.png')),
    ];
    expect(nameAttachments(messages).map(({ text }) => text)).toEqual([
      's',
      'first\n[image 1] [document 1: a b .pdf]',
      'answer',
      'no files',
      '[video 1: film.mp4] [image 2: cat.png]',
    ]);
  });
});
