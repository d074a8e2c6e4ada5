import type { UpstreamModel } from '@zai2api/dialects';
import type { ModelPatternRule } from '../models/model-pattern-setting.ts';
import { idleFloorOf } from './idle-floors.ts';

/** How long something may take, and the variable that says so: operators and clients are told both. */
export interface TimeLimit {
  /** In milliseconds; 0 = no limit. */
  readonly ms: number;
  readonly variable: string;
}

/** The limits of one turn towards its upstream. Connecting has its own, in the connection pool. */
export interface TurnTimeouts {
  /** The longest silence, that before the first byte included. */
  readonly idle: TimeLimit;
  /** From the request to the first content. */
  readonly firstToken: TimeLimit;
  /** The whole turn with all its tries. */
  readonly total: TimeLimit;
}

/** The settings that the limits are made of, in seconds. */
export interface TimeoutSettings {
  readonly ZAI_STREAM_TIMEOUT: number;
  readonly ZAI_NON_STREAM_TIMEOUT: number;
  readonly ZAI_MULTIMODAL_TIMEOUT: number;
  readonly ZAI_FIRST_TOKEN_TIMEOUT: number;
  readonly ZAI_TOTAL_TIMEOUT: number;
  readonly ZAI_IDLE_FLOORS: readonly ModelPatternRule[];
}

/** What the limits of a turn depend on. */
export interface TimedTurn {
  readonly stream: boolean;
  readonly model: Pick<UpstreamModel, 'id' | 'upstreamId'>;
  /** Pictures, films or documents have to be read before the answer can begin. */
  readonly hasMedia?: boolean;
}

/** The limits of a turn on `model` whose answer is streamed or sent whole. A model's floor only ever lengthens the idle limit. */
export function turnTimeouts(settings: TimeoutSettings, turn: TimedTurn): TurnTimeouts {
  return {
    idle: idleLimit(settings, turn),
    firstToken: limit(settings.ZAI_FIRST_TOKEN_TIMEOUT, 'ZAI_FIRST_TOKEN_TIMEOUT'),
    total: limit(settings.ZAI_TOTAL_TIMEOUT, 'ZAI_TOTAL_TIMEOUT'),
  };
}

function idleLimit(settings: TimeoutSettings, { stream, model, hasMedia = false }: TimedTurn): TimeLimit {
  const variable = hasMedia ? 'ZAI_MULTIMODAL_TIMEOUT' : stream ? 'ZAI_STREAM_TIMEOUT' : 'ZAI_NON_STREAM_TIMEOUT';
  const base = limit(settings[variable], variable);
  const floor = limit(idleFloorOf(settings.ZAI_IDLE_FLOORS, [model.id, model.upstreamId]), 'ZAI_IDLE_FLOORS');
  return base.ms === 0 || base.ms >= floor.ms ? base : floor;
}

const limit = (seconds: number, variable: string): TimeLimit => ({ ms: seconds * 1000, variable });
