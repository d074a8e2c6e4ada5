import { TurnError } from '@zai2api/turn';
import { isRecord } from '../../is-record.ts';
import { modelOwner, publicModelName, shownModelName, type UpstreamModel } from '../../models.ts';

/** The models of `GET /api/models` (protocol 3.1): inactive ones left out, hidden ones marked. Throws `upstream_drifted` when it is no such list. */
export function decodeModels(body: unknown): UpstreamModel[] {
  const list = isRecord(body) ? body['data'] : undefined;
  const models = Array.isArray(list) ? list.flatMap(decodeModel) : [];
  if (models.length === 0)
    throw new TurnError('upstream_drifted', 'The upstream’s model list has an unknown shape.', { layer: 'upstream' });
  return models;
}

function decodeModel(entry: unknown): UpstreamModel[] {
  if (!isRecord(entry) || typeof entry['id'] !== 'string' || entry['id'] === '') return [];
  const upstreamId = entry['id'];
  const info = record(entry['info']);
  if (info['is_active'] === false) return [];
  const meta = record(info['meta']);
  const capabilities = record(meta['capabilities']);
  const upstreamName = typeof entry['name'] === 'string' ? entry['name'] : upstreamId;
  const created = entry['created'] ?? info['created_at'];
  const maxTokens = record(info['params'])['max_tokens'];
  return [
    {
      id: publicModelName(upstreamId, upstreamName),
      upstreamId,
      name: shownModelName(upstreamId, upstreamName),
      createdAtSeconds: typeof created === 'number' ? Math.trunc(created) : 0,
      ownedBy: modelOwner,
      hidden: meta['hidden'] === true,
      maxOutputTokens: typeof maxTokens === 'number' ? maxTokens : undefined,
      capabilities: {
        vision: capabilities['vision'] === true,
        thinking: capabilities['think'] === true,
        reasoningEffort: capabilities['reasoning_effort'] === true,
        webSearch: capabilities['web_search'] === true,
      },
    },
  ];
}

const record = (value: unknown): Record<string, unknown> => (isRecord(value) ? value : {});
