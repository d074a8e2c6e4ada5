import { describe, expect, it } from '@jest/globals';
import type { TurnRequest } from '@zai2api/turn';
import { refuseRequest, type PlatformUpload } from './refuse-request.ts';

const request: TurnRequest = {
  model: 'm',
  messages: [{ role: 'user', text: 'Look', attachments: [] }],
  reasoning: { visible: true },
  tools: [],
  toolChoice: { mode: 'auto' },
  parallelToolCalls: true,
  responseFormat: { type: 'text' },
  sampling: { stop: [] },
};
const MiB = 1024 * 1024;
const types = { image: 'image/png', video: 'video/mp4', document: 'application/pdf' };
const file = (kind: PlatformUpload['kind'], sizeBytes: number, mediaType = types[kind]): PlatformUpload => ({
  kind,
  sizeBytes,
  mediaType,
  param: `${kind}-of-${sizeBytes}`,
});
const many = (count: number, kind: PlatformUpload['kind']): PlatformUpload[] =>
  Array.from({ length: count }, (_, index) => file(kind, index));

describe('files of a request', () => {
  it.each<[string, string, PlatformUpload[], string, string]>([
    ['a large image', 'glm-4.6v', [file('image', 1), file('image', 5 * MiB + 1)], 'invalid_image_url', '5 MiB'],
    ['a large video', 'glm-4.6v', [file('video', 200 * MiB + 1)], 'invalid_video_url', '200 MiB'],
    ['a large file', 'glm-4.6v', [file('document', 50 * MiB + 1)], 'invalid_file_data', '50 MiB'],
    ['a video of another type', 'glm-4.6v', [file('video', 1, 'video/webm')], 'invalid_video_url', 'MP4'],
    ['many videos', 'glm-5v-turbo', many(3, 'video'), 'too_many_files', '2 videos'],
    ['two videos for 4.5V', 'glm-4.5v', many(2, 'video'), 'too_many_files', '1 video '],
  ])('are refused: %s', (_what, model, files, reason, words) => {
    const error = refuseRequest(request, model, files);
    expect(error).toMatchObject({ code: 'invalid_request', details: { reason, param: files.at(-1)?.param } });
    expect(error?.message).toContain(words);
  });

  it.each<[string, PlatformUpload[]]>([
    ['glm-4.6v', [...many(149, 'image'), file('image', 5 * MiB), ...many(2, 'video')]],
    ['glm-4.5v', [...many(50, 'image'), file('video', 200 * MiB, 'video/quicktime')]],
    ['glm-4.6v', [file('document', 50 * MiB)]],
  ])('are taken as far as %s takes them', (model, files) => {
    expect(refuseRequest(request, model, files)).toBeUndefined();
  });
});
