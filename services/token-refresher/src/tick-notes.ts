import type { z } from 'zod';

/** What one tick leaves for the next, whichever replica runs that. Ticks do not overlap, so a note is read, changed and written back. */
export interface TickNotes {
  /** The text last written under this name; undefined when there is none. */
  read(name: string): Promise<string | undefined>;
  write(name: string, text: string): Promise<void>;
}

/** The notes of a single process. */
export function createLocalTickNotes(): TickNotes {
  const texts = new Map<string, string>();
  return {
    read: (name) => Promise.resolve(texts.get(name)),
    write(name, text) {
      texts.set(name, text);
      return Promise.resolve();
    },
  };
}

/** One note of a known form. */
export interface Note<T> {
  /** The `blank` when nothing is written, or something that another version wrote and this one cannot read. */
  read(): Promise<T>;
  write(value: T): Promise<void>;
}

/** The note of that name, kept as JSON. */
export function createNote<T>(options: {
  notes: TickNotes;
  name: string;
  schema: z.ZodType<T>;
  blank: NoInfer<T>;
}): Note<T> {
  const { notes, name, schema, blank } = options;
  return {
    async read() {
      const text = await notes.read(name);
      if (text === undefined) return blank;
      const parsed = schema.safeParse(parseJson(text));
      return parsed.success ? parsed.data : blank;
    },
    write: (value) => notes.write(name, JSON.stringify(value)),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, which may hold a token.
    return undefined;
  }
}
