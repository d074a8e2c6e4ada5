import type { ReasoningRendering, TurnEvent } from '@zai2api/turn';

/** A stage between decoder and encoder: events in, events out. */
export type EventStage = (event: TurnEvent) => TurnEvent[];

interface Frame {
  readonly open: string;
  readonly linePrefix: string;
  close(summary: string | undefined): string;
}

const frames: Record<'think' | 'pure' | 'raw', Frame> = {
  think: { open: '<think>', linePrefix: '', close: () => '</think>\n\n' },
  pure: { open: '', linePrefix: '> ', close: () => '\n\n' },
  raw: {
    open: '<details type="reasoning" open>\n',
    linePrefix: '> ',
    // Behind the thought, as its duration is not known before.
    close: (summary) => `\n<summary>${summary ?? 'Thinking'}</summary>\n</details>\n\n`,
  },
};

/** The stage for one turn. In the last three renderings thought and text become one text block. */
export function createReasoningStage(rendering: ReasoningRendering): EventStage {
  if (rendering === 'separate') return (event) => [event];
  if (rendering === 'none') return (event) => (event.type.startsWith('reasoning-') ? [] : [event]);
  const frame = frames[rendering];
  let openBlock: number | undefined;
  /** The last character of the open text; empty at its start. */
  let last = '';

  function text(delta: string): TurnEvent[] {
    if (delta === '' || openBlock === undefined) return [];
    last = delta.slice(-1);
    return [{ type: 'text-delta', block: openBlock, text: delta }];
  }

  function openText(block: number): TurnEvent[] {
    if (openBlock !== undefined) return [];
    openBlock = block;
    last = '';
    return [{ type: 'text-start', block }];
  }

  function closeText(): TurnEvent[] {
    if (openBlock === undefined) return [];
    const block = openBlock;
    openBlock = undefined;
    return [{ type: 'text-end', block }];
  }

  return (event) => {
    switch (event.type) {
      case 'reasoning-start':
        return [...openText(event.block), ...text((/[^\n]/.test(last) ? '\n\n' : '') + frame.open + frame.linePrefix)];
      case 'reasoning-delta':
        return text(event.text.replaceAll('\n', `\n${frame.linePrefix}`));
      case 'reasoning-end':
        return text(frame.close(event.summary));
      case 'text-start':
        return openText(event.block);
      case 'text-delta':
        return text(event.text);
      case 'text-end':
        // The block stays open: a further thought belongs to the same text.
        return [];
      case 'tool-call-start':
      case 'refusal':
      case 'turn-end':
        return [...closeText(), event];
      default:
        return [event];
    }
  };
}
