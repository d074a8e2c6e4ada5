import type { Step } from './scenario.ts';

/** One SSE frame with the envelope of protocol 5.1. */
export function eventFrame(type: string, data: unknown): string {
  return `data: ${JSON.stringify({ type, data })}\n\n`;
}

/** A `chat:completion` frame, the one that carries all content. */
export function completionFrame(data: unknown): string {
  return eventFrame('chat:completion', data);
}

/** The usual end marker. */
export const endMarker = 'data: [DONE]\n\n';

/** A raw piece that leaves as a network chunk of its own. */
export function bytesStep(content: string | Uint8Array): Step {
  return { type: 'bytes', bytes: typeof content === 'string' ? Buffer.from(content) : content };
}

/** Cuts a text into at most `count` pieces of whole characters, none of them empty. */
export function pieces(text: string, count: number): string[] {
  const characters = Array.from(text);
  const size = Math.max(1, Math.ceil(characters.length / Math.max(1, count)));
  const result: string[] = [];
  for (let start = 0; start < characters.length; start += size)
    result.push(characters.slice(start, start + size).join(''));
  return result;
}
