import type { PlatformBody } from './platform-body.ts';

const MiB = 1024 * 1024;
const maxBytes = { image_url: 5 * MiB, video_url: 200 * MiB, file: 50 * MiB };

/** The bytes and the type of a data URL; undefined for an address. */
function readDataUrl(url: string): { readonly type: string; readonly sizeBytes: number } | undefined {
  const [, type] = /^data:([\w.+-]+\/[\w.+-]+);base64,/.exec(url) ?? [];
  if (type === undefined) return undefined;
  const length = url.length - `data:${type};base64,`.length;
  const padding = /=*$/.exec(url.slice(-2))?.[0].length ?? 0;
  return { type, sizeBytes: Math.floor((length * 3) / 4) - padding };
}

/** Whether the files of a request are as few and as small as the model takes them (protocol 10.2). */
export function fitsMediaLimits({ model, messages }: PlatformBody): boolean {
  const isSmall = model === 'glm-4.5v';
  const most = { image_url: isSmall ? 50 : 150, video_url: isSmall ? 1 : 2, file: Infinity };
  const counts = { image_url: 0, video_url: 0, file: 0 };
  for (const part of messages.flatMap(({ content }) => (typeof content === 'string' ? [] : content))) {
    if (part.type === 'text') continue;
    const url =
      part.type === 'image_url'
        ? part.image_url.url
        : part.type === 'video_url'
          ? part.video_url.url
          : part.file.file_data;
    counts[part.type] += 1;
    const data = readDataUrl(url);
    if (counts[part.type] > most[part.type] || (data?.sizeBytes ?? 0) > maxBytes[part.type]) return false;
    if (part.type === 'video_url' && data && !/^video\/(?:mp4|x-m4v|(?:x-)?matroska|quicktime)$/.test(data.type))
      return false;
  }
  return true;
}
