import { TurnError } from '@zai2api/turn';
import { isRecord } from '../../is-record.ts';
import type { UpstreamModel } from '../../models.ts';
import { builtInPlatformModels, platformModel } from './platform-models.ts';

/**
 * The models of `GET /models` (protocol 10.3). The list names ids alone and leaves out the vision models, which answer all the same: those
 * that are known stand behind it. Throws `upstream_drifted` when it is no such list.
 */
export function decodeModels(body: unknown): UpstreamModel[] {
  const list = isRecord(body) ? body['data'] : undefined;
  const ids = Array.isArray(list)
    ? list.flatMap((entry) =>
        isRecord(entry) && typeof entry['id'] === 'string' && entry['id'] !== '' ? [entry['id']] : [],
      )
    : [];
  if (ids.length === 0)
    throw new TurnError('upstream_drifted', 'The upstream’s model list has an unknown shape.', { layer: 'upstream' });
  const listed = new Set(ids.map((id) => id.toLowerCase()));
  const unlisted = builtInPlatformModels.filter(
    ({ upstreamId, capabilities }) => capabilities.vision && !listed.has(upstreamId),
  );
  return [...ids.map(platformModel), ...unlisted];
}
