import type { TurnEvent } from '@zai2api/turn';
import type { EventStage } from '../render-reasoning.ts';

/** Appends the sources of an answer to its text as a numbered list. An answer without text, or with tool calls, or one that was cut gets none. */
export function createSourceListStage(): EventStage {
  const sources: { readonly url: string; readonly title: string }[] = [];
  let lastBlock = -1;
  let hasText = false;
  let hasCalls = false;

  function list(): TurnEvent[] {
    if (sources.length === 0 || !hasText || hasCalls) return [];
    const block = lastBlock + 1;
    const lines = sources.map(({ url, title }, index) => `${index + 1}. [${escapeLinkText(title)}](${url})`);
    return [
      { type: 'text-start', block },
      { type: 'text-delta', block, text: `\n\n**Sources**\n${lines.join('\n')}` },
      { type: 'text-end', block },
    ];
  }

  return (event) => {
    if ('block' in event) lastBlock = event.block;
    if (event.type === 'text-delta') hasText = true;
    if (event.type === 'tool-call-start') hasCalls = true;
    if (event.type === 'source') sources.push(event);
    return event.type === 'turn-end' && event.reason === 'stop' ? [...list(), event] : [event];
  };
}

const escapeLinkText = (text: string): string => text.replaceAll(/[[\]\\]/g, '\\$&');
