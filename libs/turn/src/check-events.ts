import { assertNever } from './assert-never.ts';
import type { TurnEvent } from './turn-event.ts';

type BlockKind = 'reasoning' | 'text' | 'tool-call';

/** Holds the order rules of `TurnEvent`. For tests and development: it costs a little for every event. */
export interface EventChecker {
  /** Throws an Error that names the broken rule. */
  push(event: TurnEvent): void;
  /** Throws unless the stream has ended. */
  end(): void;
}

/** A checker for one stream. */
export function createEventChecker(): EventChecker {
  let started = false;
  let ended = false;
  let refused = false;
  let lastBlock = -1;
  let open: { block: number; kind: BlockKind } | undefined;

  const fail = (event: TurnEvent, rule: string): never => {
    throw new Error(`${event.type}: ${rule}`);
  };
  const openBlock = (event: TurnEvent & { block: number }, kind: BlockKind): void => {
    if (open) fail(event, `block ${open.block} is still open`);
    if (event.block <= lastBlock) fail(event, `block ${event.block} does not rise above ${lastBlock}`);
    lastBlock = event.block;
    open = { block: event.block, kind };
  };
  const inBlock = (event: TurnEvent & { block: number }, kind: BlockKind): void => {
    if (open?.block !== event.block || open.kind !== kind)
      fail(event, `block ${event.block} is not the open ${kind} block`);
  };
  const notEmpty = (event: TurnEvent, text: string): void => {
    if (text === '') fail(event, 'a delta is never empty');
  };

  return {
    push(event) {
      if (ended) fail(event, 'nothing may follow the end');
      if (!started && event.type !== 'turn-start' && event.type !== 'turn-error')
        fail(event, 'the first event is turn-start');
      switch (event.type) {
        case 'turn-start':
          if (started) fail(event, 'there is one turn-start');
          started = true;
          break;
        case 'reasoning-start':
          openBlock(event, 'reasoning');
          break;
        case 'text-start':
          openBlock(event, 'text');
          break;
        case 'tool-call-start':
          openBlock(event, 'tool-call');
          break;
        case 'reasoning-delta':
          inBlock(event, 'reasoning');
          notEmpty(event, event.text);
          break;
        case 'text-delta':
          inBlock(event, 'text');
          notEmpty(event, event.text);
          break;
        case 'tool-call-delta':
          inBlock(event, 'tool-call');
          notEmpty(event, event.argumentsText);
          break;
        case 'reasoning-end':
          inBlock(event, 'reasoning');
          open = undefined;
          break;
        case 'text-end':
          inBlock(event, 'text');
          open = undefined;
          break;
        case 'tool-call-end':
          inBlock(event, 'tool-call');
          open = undefined;
          break;
        case 'source':
          break;
        case 'refusal':
          if (open) fail(event, `block ${open.block} is still open`);
          if (refused) fail(event, 'there is one refusal');
          notEmpty(event, event.text);
          refused = true;
          break;
        case 'turn-end':
          if (open) fail(event, `block ${open.block} is still open`);
          ended = true;
          break;
        case 'turn-error':
          ended = true;
          break;
        default:
          assertNever(event);
      }
    },
    end() {
      if (!ended) throw new Error('the stream has no turn-end and no turn-error');
    },
  };
}
