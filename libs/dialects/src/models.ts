import type { ReasoningRendering } from '@zai2api/turn';

/** What a model can do, as far as clients and drivers ask. */
export interface ModelCapabilities {
  readonly vision: boolean;
  /** Thinking can be asked for. */
  readonly thinking: boolean;
  /** Takes an effort. Sent to a model without it, the field breaks the answer (protocol 3.3). */
  readonly reasoningEffort: boolean;
  readonly webSearch: boolean;
}

/** A model as clients see it. */
export interface ModelInfo {
  /** Public id, such as `glm-4.5`. */
  readonly id: string;
  /** Shown name, such as `GLM-4.5`; never empty. */
  readonly name: string;
  readonly createdAtSeconds: number;
  readonly ownedBy: string;
  readonly capabilities: ModelCapabilities;
  readonly maxOutputTokens?: number | undefined;
  /** Question and answer together; absent where nobody knows. */
  readonly contextTokens?: number | undefined;
}

/** A model with what the upstream calls it. */
export interface UpstreamModel extends ModelInfo {
  /** Exact id, case and all, such as `0727-360B-API`. */
  readonly upstreamId: string;
  /** Answers when it is asked for by name, but is not listed. */
  readonly hidden: boolean;
}

/** The `owned_by` of every model (contract 4.1). */
export const modelOwner = 'z-ai';

/** What the suffixes of a model name ask for. */
export interface ModelSwitches {
  readonly thinking?: boolean | undefined;
  readonly search?: boolean | undefined;
  /** How thinking is to be shown. */
  readonly rendering?: ReasoningRendering | undefined;
}

const suffixes: readonly { readonly text: string; readonly switches: ModelSwitches }[] = [
  { text: '-thinking', switches: { thinking: true } },
  { text: '-nothinking', switches: { thinking: false } },
  { text: '-search', switches: { search: true } },
  // Not listed: four more names for every model would hide the models.
  { text: '-separate', switches: { rendering: 'separate' } },
  { text: '-think', switches: { rendering: 'think' } },
  { text: '-pure', switches: { rendering: 'pure' } },
  { text: '-raw', switches: { rendering: 'raw' } },
];

/** How many suffixes of one name are told from it: more than anybody has a use for. */
export const MAX_SUFFIXES = 8;

function stripLastSuffix(name: string): { name: string; switches: ModelSwitches } | undefined {
  const lower = name.toLowerCase();
  const suffix = suffixes.find(({ text }) => lower.endsWith(text) && lower.length > text.length);
  return suffix && { name: name.slice(0, -suffix.text.length), switches: suffix.switches };
}

/** The shown name: the upstream's own where it starts with a Latin letter, else one made of the id (protocol 9.1). */
export function shownModelName(upstreamId: string, upstreamName: string): string {
  const name = upstreamName.trim();
  if (/^[a-z]/i.test(name)) return name;
  if (/^(?:glm|z)/i.test(upstreamId)) return upstreamId;
  const [first = '', ...rest] = upstreamId.split('-');
  return [first.toUpperCase(), ...rest.map((part) => part.charAt(0).toUpperCase() + part.slice(1))].join('-');
}

/** The id that clients use: the shown name in lower case, blanks as dashes, such as `glm-4.5` for `0727-360B-API` (protocol 3.2). */
export function publicModelName(upstreamId: string, upstreamName: string): string {
  return shownModelName(upstreamId, upstreamName).toLowerCase().replaceAll(/\s+/g, '-');
}

/** Names that clients know for the vision model (protocol 9.1); a real model of that name comes first. */
const legacyAliases: ReadonlyMap<string, string> = new Map(
  ['glm-4', 'glm-4.5', 'glm4', 'glm45'].map((alias) => [alias, 'glm-4.5v']),
);

/** A known model, and what its asked-for name says about thinking and search. */
export interface ResolvedModel extends ModelSwitches {
  readonly model: UpstreamModel;
}

function findByName(models: readonly UpstreamModel[], name: string): UpstreamModel | undefined {
  const lower = name.toLowerCase();
  return (
    models.find((model) => model.upstreamId === name) ??
    models.find((model) => model.upstreamId.toLowerCase() === lower) ??
    models.find((model) => model.id.toLowerCase() === lower) ??
    models.find((model) => model.name.toLowerCase() === lower)
  );
}

/**
 * The model that a client means: upstream id, then public id, then shown name, in any case. The full name is tried first and then
 * one suffix less at a time, up to `MAX_SUFFIXES`, so that a real model whose name ends like a suffix is never cut. `undefined`: no such
 * model.
 */
export function resolveModel(models: readonly UpstreamModel[], askedName: string): ResolvedModel | undefined {
  let name = askedName.trim();
  let switches: ModelSwitches = {};
  for (let taken = 0; ; taken += 1) {
    const alias = legacyAliases.get(name.toLowerCase());
    const model = findByName(models, name) ?? (alias === undefined ? undefined : findByName(models, alias));
    if (model) return { model, ...switches };
    const stripped = taken < MAX_SUFFIXES ? stripLastSuffix(name) : undefined;
    if (!stripped) return undefined;
    name = stripped.name;
    switches = { ...stripped.switches, ...switches };
  }
}

/** The public list: every visible model, followed by its variants as far as it can do them. No id twice; the first one counts. */
export function expandModels(models: readonly UpstreamModel[]): ModelInfo[] {
  const visible = models.filter((model) => !model.hidden);
  const listed = new Map<string, ModelInfo>();
  const taken = new Set(visible.map((model) => model.id));
  for (const model of visible) {
    if (listed.has(model.id)) continue;
    const info = withoutUpstream(model);
    listed.set(model.id, info);
    for (const { text, switches } of suffixes) {
      if (switches.rendering) continue;
      const id = model.id + text;
      const able = switches.search ? model.capabilities.webSearch : model.capabilities.thinking;
      if (able && !taken.has(id) && !model.id.endsWith(text)) {
        listed.set(id, { ...info, id, name: `${model.name} (${text.slice(1)})` });
      }
    }
  }
  return [...listed.values()];
}

function withoutUpstream(model: UpstreamModel): ModelInfo {
  const { id, name, createdAtSeconds, ownedBy, capabilities, maxOutputTokens, contextTokens } = model;
  return { id, name, createdAtSeconds, ownedBy, capabilities, maxOutputTokens, contextTokens };
}

interface BuiltInRow {
  readonly upstreamId: string;
  readonly name: string;
  /** Month in which it was first seen: the list needs a date and knows no better one. */
  readonly seen: `${number}-${number}`;
  readonly can: readonly (keyof ModelCapabilities)[];
  readonly maxOutputTokens?: number;
  readonly hidden?: true;
}

const text = ['thinking', 'webSearch'] as const;
const effort = ['thinking', 'webSearch', 'reasoningEffort'] as const;
/** No web search: the upstream wants it off for vision models (protocol 3.3). */
const vision = ['thinking', 'vision'] as const;

const rows: readonly BuiltInRow[] = [
  { upstreamId: 'glm-5.3', name: 'GLM-5.3', seen: '2026-08', can: effort },
  { upstreamId: 'x-preview-l', name: 'GLM-5.3-Flash', seen: '2026-08', can: [...effort, 'vision'] },
  { upstreamId: 'glm-5.2', name: 'GLM-5.2', seen: '2026-06', can: effort },
  { upstreamId: 'GLM-5.1', name: 'GLM-5.1', seen: '2026-04', can: text },
  { upstreamId: 'GLM-5-Turbo', name: 'GLM-5-Turbo', seen: '2026-04', can: text },
  { upstreamId: 'GLM-5v-Turbo', name: 'GLM-5v-Turbo', seen: '2026-04', can: vision },
  { upstreamId: 'glm-5', name: 'GLM-5', seen: '2026-02', can: text, maxOutputTokens: 32_000 },
  { upstreamId: 'glm-4.7', name: 'GLM-4.7', seen: '2025-12', can: text, maxOutputTokens: 40_000 },
  { upstreamId: 'glm-4.6v', name: 'GLM-4.6V', seen: '2025-12', can: vision },
  { upstreamId: 'GLM-4-6-API-V1', name: 'GLM-4.6', seen: '2025-10', can: text, maxOutputTokens: 195_000 },
  { upstreamId: 'glm-4.5v', name: 'GLM-4.5V', seen: '2025-08', can: vision, maxOutputTokens: 16_000 },
  { upstreamId: '0727-106B-API', name: 'GLM-4.5-Air', seen: '2025-08', can: text, maxOutputTokens: 80_000 },
  { upstreamId: '0727-360B-API', name: 'GLM-4.5', seen: '2025-08', can: text, maxOutputTokens: 80_000, hidden: true },
  { upstreamId: 'GLM-4.1V-Thinking-FlashX', name: 'GLM-4.1V-9B-Thinking', seen: '2025-08', can: vision, hidden: true },
  { upstreamId: 'deep-research', name: 'Z1-Rumination', seen: '2025-08', can: text, hidden: true },
  { upstreamId: 'zero', name: 'Z1-32B', seen: '2025-08', can: text, hidden: true },
  { upstreamId: '0808-360B-DR', name: 'GLM-4.5 deep research', seen: '2025-08', can: text, hidden: true },
  { upstreamId: 'glm-4-air-250414', name: 'GLM-4-32B', seen: '2025-08', can: ['webSearch'], hidden: true },
  { upstreamId: 'glm-4-flash', name: 'GLM-4-Flash', seen: '2025-08', can: [], hidden: true },
];

/** The models known when this was written (protocol 3.2), for the time before the upstream was ever reached. Newest first. */
export const builtInModels: readonly UpstreamModel[] = rows.map((row) => ({
  id: publicModelName(row.upstreamId, row.name),
  upstreamId: row.upstreamId,
  name: row.name,
  createdAtSeconds: Date.parse(`${row.seen}-01T00:00:00Z`) / 1000,
  ownedBy: modelOwner,
  capabilities: {
    vision: row.can.includes('vision'),
    thinking: row.can.includes('thinking'),
    reasoningEffort: row.can.includes('reasoningEffort'),
    webSearch: row.can.includes('webSearch'),
  },
  maxOutputTokens: row.maxOutputTokens,
  hidden: row.hidden ?? false,
}));
