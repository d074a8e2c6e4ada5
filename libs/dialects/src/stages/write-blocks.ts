import type { TurnEvent } from '@zai2api/turn';

type Kind = 'reasoning' | 'text' | 'tool-call';

/** Writes well-formed blocks: opens and closes them as the kind of content changes, and numbers them anew. */
export interface BlockWriter {
  reasoning(text: string): void;
  endReasoning(summary: string | undefined): void;
  text(text: string): void;
  /** Opens a call; its arguments follow until `endCall`. */
  startCall(callId: string, name: string): void;
  argumentsText(text: string): void;
  endCall(): void;
  /** An event that belongs to no block. Only `turn-end` and `refusal` close the open one. */
  pass(event: TurnEvent): void;
  /** The events since the last call. */
  take(): TurnEvent[];
}

/** A writer for one answer. */
export function createBlockWriter(): BlockWriter {
  let events: TurnEvent[] = [];
  let block = -1;
  let open: Kind | undefined;

  function close(summary?: string): void {
    if (open === 'reasoning')
      events.push({ type: 'reasoning-end', block, ...(summary === undefined ? {} : { summary }) });
    else if (open !== undefined) events.push({ type: `${open}-end`, block });
    open = undefined;
  }

  function add(kind: 'reasoning' | 'text', text: string): void {
    if (text === '') return;
    if (open !== kind) {
      close();
      block += 1;
      open = kind;
      events.push({ type: `${kind}-start`, block });
    }
    const last = events.at(-1);
    if (last?.type === `${kind}-delta` && 'text' in last)
      events[events.length - 1] = { ...last, text: last.text + text };
    else events.push({ type: `${kind}-delta`, block, text });
  }

  return {
    reasoning: (text) => add('reasoning', text),
    endReasoning(summary) {
      if (open === 'reasoning') close(summary);
    },
    text: (text) => add('text', text),
    startCall(callId, name) {
      close();
      block += 1;
      open = 'tool-call';
      events.push({ type: 'tool-call-start', block, callId, name });
    },
    argumentsText(text) {
      if (text === '' || open !== 'tool-call') return;
      const last = events.at(-1);
      if (last?.type === 'tool-call-delta')
        events[events.length - 1] = { ...last, argumentsText: last.argumentsText + text };
      else events.push({ type: 'tool-call-delta', block, argumentsText: text });
    },
    endCall() {
      if (open === 'tool-call') close();
    },
    pass(event) {
      if (event.type === 'turn-end' || event.type === 'refusal') close();
      events.push(event);
    },
    take() {
      const taken = events;
      events = [];
      return taken;
    },
  };
}
