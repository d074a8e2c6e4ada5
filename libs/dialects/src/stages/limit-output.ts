import type { FinishReason, TurnEvent } from '@zai2api/turn';
import type { EventStage } from '../render-reasoning.ts';
import { createUsageEstimate } from './estimate-usage.ts';
import { createTokenBudget } from './limit-output-budget.ts';
import { createStopFilter, type StopReading } from './limit-output-stop.ts';

/** What ends an answer before the model does. */
export interface LimitOptions {
  /** Texts that end the answer; none of them empty. */
  readonly stop: readonly string[];
  /** Thinking and text together; undefined: no limit. */
  readonly maxOutputTokens?: number | undefined;
  readonly countTokens: (text: string) => number;
  /** Estimated tokens of what went up; asked once at most. */
  readonly countInput: () => number;
}

/** The stage, which may end the turn itself. */
export interface LimitStage extends EventStage {
  /** True once the turn was ended here: the upstream has nothing to add and should be let go. */
  readonly finished: boolean;
}

/**
 * Ends the answer at a stop sequence in its text (reason `stop`), or when its tokens are spent (`length`), with the usage so far as we
 * estimate it (contract 1.6). The stop text is not delivered. Thinking and the arguments of tool calls are not searched, and tool calls
 * are never cut: half a call is none.
 */
export function createLimitStage({ stop, maxOutputTokens, countTokens, countInput }: LimitOptions): LimitStage {
  const stops = createStopFilter(stop);
  const budget = maxOutputTokens === undefined ? undefined : createTokenBudget(maxOutputTokens, countTokens);
  const estimate = createUsageEstimate(countTokens);
  let open: { readonly kind: 'reasoning' | 'text'; readonly block: number } | undefined;
  let finished = false;

  function finish(reason: FinishReason, stopSequence?: string): TurnEvent[] {
    finished = true;
    const usage = estimate.usage(countInput());
    const outputTokens = Math.min(usage.outputTokens, reason === 'length' ? (maxOutputTokens ?? Infinity) : Infinity);
    const reasoningTokens = Math.min(usage.reasoningTokens, outputTokens);
    return [
      ...(open ? [{ type: `${open.kind}-end`, block: open.block } as const] : []),
      {
        type: 'turn-end',
        reason,
        usage: { ...usage, outputTokens, reasoningTokens },
        ...(stopSequence !== undefined && { stopSequence }),
      },
    ];
  }

  function show(text: string): TurnEvent[] {
    if (!open || text === '') return [];
    const fitting = text.slice(0, budget?.take(text));
    const event: TurnEvent = { type: `${open.kind}-delta`, block: open.block, text: fitting };
    estimate.push(event);
    return [...(fitting === '' ? [] : [event]), ...(fitting.length < text.length ? finish('length') : [])];
  }

  function showText({ text, sequence }: StopReading): TurnEvent[] {
    const events = show(text);
    return sequence !== undefined && !finished ? [...events, ...finish('stop', sequence)] : events;
  }

  /** Lets out what is held before something that ends the block. */
  function endText(event: TurnEvent): TurnEvent[] {
    const events = open?.kind === 'text' ? showText(stops.end()) : [];
    if (finished) return events;
    open = undefined;
    budget?.close();
    return [...events, event];
  }

  function stage(event: TurnEvent): TurnEvent[] {
    if (finished) return [];
    switch (event.type) {
      case 'text-start':
        open = { kind: 'text', block: event.block };
        return [event];
      case 'reasoning-start':
        open = { kind: 'reasoning', block: event.block };
        return [event];
      case 'text-delta':
        return showText(stops.push(event.text));
      case 'reasoning-delta':
        return show(event.text);
      case 'text-end':
      case 'reasoning-end':
      case 'turn-error':
        return endText(event);
      default:
        estimate.push(event);
        return [event];
    }
  }

  return Object.defineProperty(stage, 'finished', { get: () => finished }) as typeof stage & {
    readonly finished: boolean;
  };
}
