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
  let phase: Phase;

  return {
    read(data) {
      if (head === '' || !data.startsWith(head) || !data.endsWith(tail)) return undefined;
      const text = readText(data.slice(head.length, -tail.length));
      return text === undefined ? undefined : { text, phase };
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
      phase = named;
    },
  };
}

/** The text between the quotes of a JSON string; undefined when it is none. */
function readText(raw: string): string | undefined {
  if (raw === '') return undefined;
  if (!raw.includes('"') && !raw.includes('\\')) return raw;
  try {
    const text: unknown = JSON.parse(`"${raw}"`);
    return typeof text === 'string' ? text : undefined;
  } catch {
    return undefined;
  }
}
