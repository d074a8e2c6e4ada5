import { isRecord } from '../../is-record.ts';
import type { Phase } from './answer-document.ts';

/** A frame that does nothing but append. */
export interface PlainDelta {
  readonly text: string;
  readonly phase: Phase;
}

/** Reads the frames that make up nearly all of a stream without parsing them. */
export interface PlainDeltaReader {
  /** The delta of a frame that differs from a learned one in its text alone; undefined for every other frame. */
  read(data: string): PlainDelta | undefined;
  /** The deltas of a text of whole frames that are all such frames, in as few texts as may be; undefined when one is not. */
  readRun(frames: string): { readonly texts: readonly string[]; readonly phase: Phase } | undefined;
  /** Learns the form of a frame that was parsed, if it is a plain delta. */
  learn(data: string, frame: Record<string, unknown>): void;
}

/**
 * Parsing a frame costs more than everything else that is done with a token; all but a few frames of a stream are the same to the letter,
 * but for the text. What is not exactly so is left to the parser.
 */
export function createPlainDeltaReader(): PlainDeltaReader {
  let head = '';
  let tail = '';
  let open = '';
  let close = '';
  let between = '';
  let phase: Phase;

  return {
    read(data) {
      const end = data.length - tail.length;
      if (head === '' || end <= head.length) return undefined;
      // Slices are compared as memory. `startsWith` looks at a slice of a longer text one character at a time, and this is one.
      if (data.slice(0, head.length) !== head || data.slice(end) !== tail) return undefined;
      const text = readText(data.slice(head.length, end));
      return text === undefined ? undefined : { text, phase };
    },
    readRun(frames) {
      const end = frames.length - close.length;
      if (head === '' || end <= open.length) return undefined;
      if (frames.slice(0, open.length) !== open || frames.slice(end) !== close) return undefined;
      const run = frames.slice(open.length, end);
      const joined = run.replaceAll(between, '');
      if (!marked.test(joined)) return { texts: [joined], phase };
      const texts = run.split(between).map(readText);
      return texts.every((text) => text !== undefined) ? { texts, phase } : undefined;
    },
    learn(data, frame) {
      const inner = frame['data'];
      if (frame['type'] !== 'chat:completion' || Object.keys(frame).length !== 2 || !isRecord(inner)) return;
      const { delta_content: text, phase: named } = inner;
      if (typeof text !== 'string' || text === '' || typeof named !== 'string' || named === 'done') return;
      if (Object.keys(inner).length !== 2) return;
      const [before, after, ...more] = data.split(JSON.stringify(text));
      if (before === undefined || after === undefined || more.length > 0 || !/"delta_content"\s*:\s*$/.test(before))
        return;
      head = `${before}"`;
      tail = `"${after}`;
      open = `data: ${head}`;
      close = `${tail}\n\n`;
      between = close + open;
      phase = named;
    },
  };
}

/** What a JSON string holds as an escape only. */
const escaped = /["\\\p{Cc}]/u;

/** The same, and what begins a tag: its meaning may depend on where a delta ends. */
const marked = /["\\<\p{Cc}]/u;

/** The text between the quotes of a JSON string; undefined when it is none. */
function readText(raw: string): string | undefined {
  if (raw === '') return undefined;
  if (!escaped.test(raw)) return raw;
  try {
    const text: unknown = JSON.parse(`"${raw}"`);
    return typeof text === 'string' ? text : undefined;
  } catch {
    return undefined;
  }
}
