/** A frame that does nothing but append. */
export interface PlainDelta<Kind> {
  readonly text: string;
  /** What the text is a piece of. */
  readonly kind: Kind;
}

/** What a parsed frame does, if it does nothing but append; `field` is the name that its text stands behind. */
export type FindPlainDelta<Kind> = (
  frame: Record<string, unknown>,
) => (PlainDelta<Kind> & { readonly field: string }) | undefined;

/** Reads the frames that make up nearly all of a stream without parsing them. */
export interface PlainDeltaReader<Kind> {
  /** The delta of a frame that differs from a learned one in its text alone; undefined for every other frame. */
  read(data: string): PlainDelta<Kind> | undefined;
  /** The deltas of a text of whole frames that are all such frames, in as few texts as may be; undefined when one is not. */
  readRun(frames: string): { readonly texts: readonly string[]; readonly kind: Kind } | undefined;
  /** Learns the form of a frame that was parsed, if it is a plain delta. */
  learn(data: string, frame: Record<string, unknown>): void;
}

/**
 * Parsing a frame costs more than everything else that is done with a token; all but a few frames of a stream are the same to the letter,
 * but for the text. What is not exactly so is left to the parser.
 */
export function createPlainDeltaReader<Kind>(find: FindPlainDelta<Kind>): PlainDeltaReader<Kind> {
  let head = '';
  let tail = '';
  let open = '';
  let close = '';
  let between = '';
  let kind: Kind | undefined;

  return {
    read(data) {
      const end = data.length - tail.length;
      if (kind === undefined || end <= head.length) return undefined;
      // Slices are compared as memory. `startsWith` looks at a slice of a longer text one character at a time, and this is one.
      if (data.slice(0, head.length) !== head || data.slice(end) !== tail) return undefined;
      const text = readText(data.slice(head.length, end));
      return text === undefined ? undefined : { text, kind };
    },
    readRun(frames) {
      const end = frames.length - close.length;
      if (kind === undefined || end <= open.length) return undefined;
      if (frames.slice(0, open.length) !== open || frames.slice(end) !== close) return undefined;
      const run = frames.slice(open.length, end);
      const joined = run.replaceAll(between, '');
      if (!marked.test(joined)) return { texts: [joined], kind };
      const texts = run.split(between).map(readText);
      return texts.every((text) => text !== undefined) ? { texts, kind } : undefined;
    },
    learn(data, frame) {
      const delta = find(frame);
      if (!delta || delta.text === '') return;
      const [before, after, ...more] = data.split(JSON.stringify(delta.text));
      if (before === undefined || after === undefined || more.length > 0) return;
      if (!before.trimEnd().replace(/:$/, '').trimEnd().endsWith(`"${delta.field}"`)) return;
      head = `${before}"`;
      tail = `"${after}`;
      open = `data: ${head}`;
      close = `${tail}\n\n`;
      between = close + open;
      kind = delta.kind;
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
