import type { HttpAnswer } from '../http-faults.ts';
import type { FakeUpstreamSettings } from '../settings.ts';

/** What a scenario knows about the completion it answers. */
export interface ScenarioContext {
  /** Text of the last user message, without markers. */
  readonly prompt: string;
  readonly model: string;
  /** `features.enable_thinking` was true. */
  readonly thinking: boolean;
  /** The language of error texts, from `Accept-Language`. */
  readonly language: 'en' | 'zh';
  readonly parameters: ReadonlyMap<string, string>;
  readonly settings: FakeUpstreamSettings;
  /** The request body as the model would see it (protocol 4.6). */
  readonly body: Readonly<Record<string, unknown>>;
  /** The chat id is unknown: `INTERNAL_ERROR` goes on the `done` frame (protocol 4.2). */
  readonly unknownChat: boolean;
  readonly nowSeconds: number;
}

/**
 * One thing to do while answering. A string is a whole frame: it is written, then `frameDelayMs` passes.
 * `bytes`: a raw piece, sent as a network chunk of its own. `waitMs`: silence. `stall`: silence until the client leaves.
 * `cut`: the connection is closed in the middle of the answer.
 */
export type Step =
  | string
  | { readonly type: 'bytes'; readonly bytes: Uint8Array }
  | { readonly type: 'wait'; readonly waitMs: number }
  | { readonly type: 'stall' }
  | { readonly type: 'cut' };

/** One way to answer a completion. */
export interface Scenario {
  /** One line for people. */
  readonly description: string;
  /** Without it: 200 `text/event-stream`. A `body` here is sent before the steps. */
  readonly head?: HttpAnswer;
  /** Pulled only as fast as the client reads; simply not pulled any more when the client leaves. */
  readonly steps: (context: ScenarioContext) => Iterable<Step>;
}

/** Scenarios by their kebab-case names. */
export type ScenarioTable = Readonly<Record<string, Scenario>>;

/** A parameter that must be a number of at least 0. */
export function numberParameter(context: ScenarioContext, name: string, otherwise: number): number {
  const value = Number(context.parameters.get(name) ?? otherwise);
  return Number.isFinite(value) && value >= 0 ? value : otherwise;
}
