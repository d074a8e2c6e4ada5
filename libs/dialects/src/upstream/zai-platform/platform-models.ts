import { modelOwner, publicModelName, type UpstreamModel } from '../../models.ts';

/** What the official API takes for one model; what is sent beyond it is refused (protocol 10.2, 10.6). */
export interface PlatformTraits {
  /** `always`: it cannot be switched off. */
  readonly thinking: 'none' | 'optional' | 'always';
  /** `high-max`: low and medium are folded up; `low-high-max`: these three alone (protocol 10.2). */
  readonly effort: 'none' | 'high-max' | 'low-high-max';
  /** Takes pictures, films and documents; then it knows no `tool` messages, no web search and no response format. */
  readonly vision: boolean;
  /** The most videos of one request. */
  readonly maxVideos: number;
  /** Arguments of tool calls can be streamed. */
  readonly toolStream: boolean;
  readonly maxOutputTokens: number;
}

interface ModelRow extends Partial<PlatformTraits> {
  readonly name: string;
  /** Month in which it was first seen: the list needs a date and knows no better one. */
  readonly seen: `${number}-${number}`;
}

const K = 1024;
const plain: PlatformTraits = {
  thinking: 'optional',
  effort: 'none',
  vision: false,
  maxVideos: 2,
  toolStream: false,
  maxOutputTokens: 128 * K,
};
const newest = { thinking: 'always', effort: 'low-high-max' } as const;

/** Newest first. The ids are the names in lower case. */
const rows: readonly ModelRow[] = [
  { name: 'GLM-5.3', seen: '2026-08', ...newest, toolStream: true },
  { name: 'GLM-5.3-FlashX', seen: '2026-08', ...newest, vision: true },
  { name: 'GLM-5.3-Flash', seen: '2026-08', ...newest, vision: true },
  { name: 'GLM-5.2', seen: '2026-06', effort: 'high-max', toolStream: true },
  { name: 'GLM-5.1', seen: '2026-04', toolStream: true },
  { name: 'GLM-5-Turbo', seen: '2026-04' },
  { name: 'GLM-5V-Turbo', seen: '2026-04', vision: true },
  { name: 'GLM-5', seen: '2026-02', toolStream: true },
  { name: 'GLM-4.7', seen: '2025-12', toolStream: true },
  { name: 'GLM-4.7-FlashX', seen: '2025-12' },
  { name: 'GLM-4.7-Flash', seen: '2025-12' },
  { name: 'GLM-4.6V', seen: '2025-12', vision: true, maxOutputTokens: 32 * K },
  { name: 'GLM-4.6V-FlashX', seen: '2025-12', vision: true, maxOutputTokens: 32 * K },
  { name: 'GLM-4.6V-Flash', seen: '2025-12', vision: true, maxOutputTokens: 32 * K },
  // Nothing is said of its output: as much as the most modest vision model gives.
  { name: 'AutoGLM-Phone-Multilingual', seen: '2025-12', vision: true, maxOutputTokens: 16 * K },
  { name: 'GLM-4.6', seen: '2025-10', toolStream: true },
  { name: 'GLM-4.5', seen: '2025-08', maxOutputTokens: 96 * K },
  { name: 'GLM-4.5-Air', seen: '2025-08', maxOutputTokens: 96 * K },
  { name: 'GLM-4.5-X', seen: '2025-08', maxOutputTokens: 96 * K },
  { name: 'GLM-4.5-AirX', seen: '2025-08', maxOutputTokens: 96 * K },
  { name: 'GLM-4.5-Flash', seen: '2025-08', maxOutputTokens: 96 * K },
  { name: 'GLM-4.5V', seen: '2025-08', vision: true, maxVideos: 1, maxOutputTokens: 16 * K },
  { name: 'GLM-4-32B-0414-128K', seen: '2025-08', thinking: 'none', maxOutputTokens: 16 * K },
];

const rowById: ReadonlyMap<string, ModelRow> = new Map(rows.map((row) => [row.name.toLowerCase(), row]));

/** From this version on no model is known whose thinking can be switched off. */
const ALWAYS_THINKS_FROM = 5.3;

/** The traits of a model; those of one that came later are guessed from its name, so that only what is surely taken is sent. */
export function platformTraits(upstreamId: string): PlatformTraits {
  const id = upstreamId.toLowerCase();
  const row = rowById.get(id);
  if (row) return { ...plain, ...row };
  const [, version = '', letter = ''] = /^glm-(\d+(?:\.\d+)?)(v?)(?:-|$)/.exec(id) ?? [];
  const isNewer = Number(version) >= ALWAYS_THINKS_FROM;
  return { ...plain, ...(isNewer ? newest : {}), vision: letter === 'v' || id.startsWith('autoglm-phone') };
}

/** The model of an id as the driver offers it. */
export function platformModel(upstreamId: string): UpstreamModel {
  const row = rowById.get(upstreamId.toLowerCase());
  const name = row?.name ?? upstreamId.replace(/^glm-/i, 'GLM-');
  const traits = platformTraits(upstreamId);
  return {
    id: publicModelName(upstreamId, upstreamId),
    upstreamId,
    name,
    createdAtSeconds: row ? Date.parse(`${row.seen}-01T00:00:00Z`) / 1000 : 0,
    ownedBy: modelOwner,
    capabilities: {
      vision: traits.vision,
      thinking: traits.thinking !== 'none',
      reasoningEffort: traits.effort !== 'none',
      webSearch: !traits.vision,
    },
    maxOutputTokens: traits.maxOutputTokens,
    hidden: false,
  };
}

/** The models known when this was written (protocol 10.6), newest first. */
export const builtInPlatformModels: readonly UpstreamModel[] = rows.map(({ name }) =>
  platformModel(name.toLowerCase()),
);
