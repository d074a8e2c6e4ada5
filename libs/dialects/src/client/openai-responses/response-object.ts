import type { FinishReason } from '@zai2api/turn';
import type { ResponseError } from './encode-error.ts';
import type { ResponseUsage } from './encode-usage.ts';
import type { OutputItem } from './output-items.ts';
import type { EchoedRequest } from './wire-schema.ts';

/** How far a response got (contract 2.6). */
export type ResponseStatus = 'queued' | 'in_progress' | 'completed' | 'incomplete' | 'failed' | 'cancelled';

/** What changes in a response while it comes about. */
export interface ResponseState {
  readonly status: ResponseStatus;
  readonly model: string;
  readonly output: readonly OutputItem[];
  readonly completedAtMs?: number;
  readonly error?: ResponseError;
  readonly incompleteReason?: IncompleteReason;
  readonly usage?: ResponseUsage;
}

/** Why a response is not complete. */
export type IncompleteReason = 'max_output_tokens' | 'content_filter';

/** A response with every key of contract 2.6, null where there is nothing to say. */
export interface ResponseObject {
  readonly id: string;
  readonly status: ResponseStatus;
  readonly model: string;
  readonly output: readonly OutputItem[];
  readonly error: ResponseError | null;
  readonly store: boolean;
  readonly background: boolean;
  readonly [key: string]: unknown;
}

/** What stays the same in a response. */
export interface ResponseIdentity {
  readonly id: string;
  readonly createdAtMs: number;
  readonly asked: EchoedRequest;
  /** It is kept, so that one may ask for it again. */
  readonly isStored: boolean;
}

/** The response in this state. */
export function describeResponse(identity: ResponseIdentity, state: ResponseState): ResponseObject {
  const { asked } = identity;
  return {
    id: identity.id,
    object: 'response',
    created_at: Math.floor(identity.createdAtMs / 1000),
    completed_at: state.completedAtMs === undefined ? null : Math.floor(state.completedAtMs / 1000),
    status: state.status,
    background: asked.background ?? false,
    error: state.error ?? null,
    incomplete_details: state.incompleteReason ? { reason: state.incompleteReason } : null,
    instructions: asked.instructions ?? null,
    max_output_tokens: asked.max_output_tokens ?? null,
    max_tool_calls: asked.max_tool_calls ?? null,
    model: state.model,
    output: state.output,
    parallel_tool_calls: asked.parallel_tool_calls ?? true,
    previous_response_id: asked.previous_response_id ?? null,
    prompt_cache_key: asked.prompt_cache_key ?? null,
    reasoning: { effort: asked.reasoning?.effort ?? null, summary: asked.reasoning?.summary ?? null },
    safety_identifier: asked.safety_identifier ?? null,
    service_tier: 'default',
    store: identity.isStored,
    temperature: asked.temperature ?? 1,
    text: {
      format: asked.text?.format ?? { type: 'text' },
      ...(asked.text?.verbosity !== undefined && { verbosity: asked.text.verbosity }),
    },
    tool_choice: asked.tool_choice ?? 'auto',
    tools: asked.tools ?? [],
    top_logprobs: 0,
    top_p: asked.top_p ?? 1,
    presence_penalty: 0,
    frequency_penalty: 0,
    truncation: asked.truncation ?? 'disabled',
    usage: state.usage ?? null,
    user: asked.user ?? null,
    metadata: asked.metadata ?? {},
    access_programs: null,
  };
}

/** How the end of a turn is the end of a response. Calls are nothing special: a response with calls is complete. */
export const endings: Readonly<
  Record<FinishReason, { readonly status: 'completed' | 'incomplete'; readonly incompleteReason?: IncompleteReason }>
> = {
  stop: { status: 'completed' },
  'tool-calls': { status: 'completed' },
  length: { status: 'incomplete', incompleteReason: 'max_output_tokens' },
  'content-filter': { status: 'incomplete', incompleteReason: 'content_filter' },
};
