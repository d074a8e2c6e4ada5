import type { FakeModel } from './settings.ts';

/** The ids of protocol 3.2 that the web page offers or hides in 2026. */
export const builtInModels: readonly FakeModel[] = [
  { id: 'glm-5.3', name: 'GLM-5.3', reasoningEffort: true },
  { id: 'x-preview-l', name: 'GLM-5.3-Flash', reasoningEffort: true, vision: true },
  { id: 'glm-5.2', name: 'GLM-5.2', reasoningEffort: true },
  { id: 'GLM-5.1', name: 'GLM-5.1' },
  { id: 'GLM-5-Turbo', name: 'GLM-5-Turbo' },
  { id: 'GLM-5v-Turbo', name: 'GLM-5v-Turbo', vision: true },
  { id: 'glm-5', name: 'GLM-5' },
  { id: 'glm-4.7', name: 'GLM-4.7' },
  { id: 'glm-4.6v', name: 'GLM-4.6V', vision: true },
  { id: 'GLM-4-6-API-V1', name: 'GLM-4.6' },
  { id: 'glm-4.5v', name: 'GLM-4.5V', vision: true },
  { id: '0727-360B-API', name: 'GLM-4.5', hidden: true },
  { id: '0727-106B-API', name: 'GLM-4.5-Air', hidden: true },
  { id: 'glm-4-flash', name: 'GLM-4-Flash', hidden: true },
  { id: 'deep-research', name: 'Z1-Rumination', inactive: true },
];

const releasedAtSeconds = 1_766_026_365;

/** One entry of `GET /api/models` (protocol 3.1). */
export function modelListEntry(model: FakeModel): unknown {
  const name = model.name ?? model.id;
  return {
    id: model.id,
    name,
    object: 'model',
    owned_by: 'openai',
    created: releasedAtSeconds,
    openai: { id: model.id, name: model.id, owned_by: 'openai', openai: { id: model.id }, urlIdx: 1 },
    urlIdx: 1,
    info: {
      id: model.id,
      user_id: '00000000-0000-4000-8000-000000000000',
      base_model_id: null,
      name,
      params: { top_p: 0.95, temperature: 1, max_tokens: 40_000 },
      meta: {
        profile_image_url: '/static/favicon.png',
        description: `${name} of the simulator`,
        capabilities: {
          vision: model.vision ?? false,
          citations: false,
          preview_mode: false,
          web_search: true,
          language_detection: false,
          restore_n_source: false,
          mcp: true,
          file_qa: true,
          returnFc: true,
          returnThink: true,
          think: true,
          free_think: false,
          skip_think: false,
          agent_mode: false,
          reasoning_effort: model.reasoningEffort ?? false,
        },
        mcpServerIds: ['deep-web-search', 'image-search'],
        suggestion_prompts: [],
        tags: [],
        hidden: model.hidden ?? false,
      },
      access_control: null,
      is_active: !(model.inactive ?? false),
      updated_at: releasedAtSeconds,
      created_at: releasedAtSeconds,
    },
    actions: [],
    tags: [],
  };
}
