import { tryParseJson } from '@zai2api/dialects';
import type { z } from 'zod';
import type { TickStateStore } from './tick-state-store.ts';

/** One text of a TickStateStore, of a known form. */
export interface TickState<T> {
  /** The `emptyValue` when nothing is written, or something that another version wrote and this one cannot read. */
  read(): Promise<T>;
  write(value: T): Promise<void>;
}

/** The state of that name, kept as JSON. */
export function createTickState<T>(options: {
  stateStore: TickStateStore;
  name: string;
  schema: z.ZodType<T>;
  emptyValue: NoInfer<T>;
}): TickState<T> {
  const { stateStore, name, schema, emptyValue } = options;
  return {
    async read() {
      const text = await stateStore.read(name);
      if (text === undefined) return emptyValue;
      const parsed = schema.safeParse(tryParseJson(text));
      return parsed.success ? parsed.data : emptyValue;
    },
    write: (value) => stateStore.write(name, JSON.stringify(value)),
  };
}
