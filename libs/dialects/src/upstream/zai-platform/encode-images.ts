import { TurnError, type ImageRequest, type ImageResult } from '@zai2api/turn';
import { isRecord } from '../../is-record.ts';
import type { EncodedRequest } from '../encoded-request.ts';
import { encodeCommonHeaders } from './encode-common-headers.ts';
import type { PlatformProfile } from './platform-profile.ts';

/** `POST /images/generations` (contract 4.2). */
export function encodeImage(input: {
  readonly profile: PlatformProfile;
  readonly key: string;
  readonly request: ImageRequest;
}): EncodedRequest {
  const { profile, key, request } = input;
  const { model, prompt, size, quality } = request;
  return {
    method: 'POST',
    url: `${profile.base}/images/generations`,
    headers: { ...encodeCommonHeaders(profile, key), 'Content-Type': 'application/json' },
    body: JSON.stringify({
      model,
      prompt,
      ...(size === undefined ? {} : { size: `${size.width}x${size.height}` }),
      ...(quality === undefined ? {} : { quality }),
    }),
  };
}

/** The picture of an answer. Throws `upstream_drifted` for anything else. */
export function decodeImage(body: unknown): ImageResult {
  const data = isRecord(body) && Array.isArray(body['data']) ? (body['data'] as unknown[]) : [];
  const [first] = data;
  const url = isRecord(first) ? first['url'] : undefined;
  if (typeof url === 'string' && /^https?:\/\//.test(url)) return { url };
  throw new TurnError('upstream_drifted', 'The upstream’s picture has an unknown shape.', { layer: 'upstream' });
}
