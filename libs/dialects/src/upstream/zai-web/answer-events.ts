import type { TurnEvent } from '@zai2api/turn';
import { createGrowingText } from './growing-text.ts';

type Kind = 'reasoning' | 'text';

/** By name and not put together: a text that is built anew for each event is slow to tell from others. */
const startTypes = { reasoning: 'reasoning-start', text: 'text-start' } as const;
const deltaTypes = { reasoning: 'reasoning-delta', text: 'text-delta' } as const;

const firstHalf = /[\uD800-\uDBFF]/;
const secondHalf = /[\uDC00-\uDFFF]/;

/**
 * Turns what the document shows into block events and never says a thing twice: after an edit the document is read again from its
 * start, and only what goes beyond the text already sent becomes an event. Sent text cannot be taken back; where an edit rewrote it,
 * the new text follows from the first difference on.
 */
export interface AnswerEvents {
  reasoning(text: string): void;
  text(text: string): void;
  endReasoning(summary: string | undefined): void;
  /** A call of a tool that the client runs; it stays open until something else is written. */
  startCall(callId: string, name: string): void;
  argumentsText(text: string): void;
  /** The document will be read again from its start. */
  restart(): void;
  /** Closes the open block. */
  end(): void;
  /** The events since the last call. */
  take(): TurnEvent[];
  /** All that was sent, for counting. */
  sent(kind: Kind): string;
  readonly empty: boolean;
}

/** The event writer of one answer. */
export function createAnswerEvents(): AnswerEvents {
  const sent = { reasoning: createGrowingText(), text: createGrowingText() };
  const position: Record<Kind, number> = { reasoning: 0, text: 0 };
  let events: TurnEvent[] = [];
  let block = -1;
  let open: Kind | 'tool-call' | undefined;
  let hasCalls = false;
  let growthKind: Kind = 'text';
  let growth = '';

  function flush(): void {
    if (growth === '') return;
    if (open !== growthKind) {
      close();
      block += 1;
      open = growthKind;
      events.push({ type: startTypes[growthKind], block });
    }
    events.push({ type: deltaTypes[growthKind], block, text: growth });
    growth = '';
  }

  function close(summary?: string): void {
    if (open === 'reasoning')
      events.push({ type: 'reasoning-end', block, ...(summary === undefined ? {} : { summary }) });
    else if (open !== undefined) events.push({ type: `${open}-end`, block });
    open = undefined;
  }

  function grow(kind: Kind, text: string): void {
    if (growthKind !== kind) flush();
    growthKind = kind;
    growth += text;
    sent[kind].append(text);
    position[kind] = sent[kind].length;
  }

  function add(kind: Kind, text: string): void {
    const from = position[kind];
    if (from === sent[kind].length) {
      grow(kind, text);
      return;
    }
    const known = sent[kind].read();
    let same = 0;
    const limit = Math.min(text.length, known.length - from);
    while (same < limit && known.charCodeAt(from + same) === text.charCodeAt(same)) same += 1;
    const end = from + same;
    position[kind] = end;
    if (same === text.length) return;
    // A character that differs in its second half only is sent whole.
    const isHalf = firstHalf.test(known.charAt(end - 1)) && secondHalf.test(known.charAt(end) && text.charAt(same));
    const start = isHalf ? end - 1 : end;
    sent[kind].write(known.slice(0, start));
    grow(kind, known.slice(start, end) + text.slice(same));
  }

  return {
    reasoning: (text) => add('reasoning', text),
    text: (text) => add('text', text),
    endReasoning(summary) {
      flush();
      if (open === 'reasoning' && position.reasoning === sent.reasoning.length) close(summary);
    },
    startCall(callId, name) {
      flush();
      close();
      block += 1;
      open = 'tool-call';
      hasCalls = true;
      events.push({ type: 'tool-call-start', block, callId, name });
    },
    argumentsText(text) {
      flush();
      if (open === 'tool-call' && text !== '') events.push({ type: 'tool-call-delta', block, argumentsText: text });
    },
    restart() {
      flush();
      position.reasoning = 0;
      position.text = 0;
    },
    end() {
      flush();
      close();
    },
    take() {
      flush();
      const taken = events;
      events = [];
      return taken;
    },
    sent: (kind) => sent[kind].read(),
    get empty() {
      return !hasCalls && sent.reasoning.length === 0 && sent.text.length === 0;
    },
  };
}
