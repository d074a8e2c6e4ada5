import { TurnError, type EmbeddingRequest, type EmbeddingResult } from '@zai2api/turn';
import { isRecord } from '../../is-record.ts';
import type { EncodedRequest } from '../encoded-request.ts';
import { encodeCommonHeaders } from './encode-common-headers.ts';
import type { PlatformProfile } from './platform-profile.ts';

/** So many texts go up in one call; the API takes no more. */
export const MAX_TEXTS_PER_CALL = 64;

/** `POST /embeddings` (contract 4.2). Vectors come as numbers. */
export function encodeEmbeddings(input: {
  readonly profile: PlatformProfile;
  readonly key: string;
  readonly request: EmbeddingRequest;
}): EncodedRequest {
  const { profile, key, request } = input;
  const { model, texts, dimensions } = request;
  return {
    method: 'POST',
    url: `${profile.base}/embeddings`,
    headers: { ...encodeCommonHeaders(profile, key), 'Content-Type': 'application/json' },
    body: JSON.stringify({ model, input: texts, ...(dimensions === undefined ? {} : { dimensions }) }),
  };
}

/** The vectors of an answer, `count` of them. Throws `upstream_drifted` for anything else. */
export function decodeEmbeddings(body: unknown, count: number): EmbeddingResult {
  const data = isRecord(body) && Array.isArray(body['data']) ? (body['data'] as unknown[]) : [];
  const vectors: number[][] = [];
  for (const [place, entry] of data.entries()) {
    if (!isRecord(entry) || !isVector(entry['embedding'])) continue;
    vectors[typeof entry['index'] === 'number' ? entry['index'] : place] = entry['embedding'];
  }
  if (vectors.length !== count || vectors.includes(undefined as unknown as number[])) {
    throw new TurnError('upstream_drifted', 'The upstream’s vectors have an unknown shape.', { layer: 'upstream' });
  }
  const usage = isRecord(body) && isRecord(body['usage']) ? body['usage'] : {};
  const tokens = usage['prompt_tokens'] ?? usage['total_tokens'];
  return { vectors, inputTokens: typeof tokens === 'number' ? tokens : 0 };
}

const isVector = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((each) => typeof each === 'number');
