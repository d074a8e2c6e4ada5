import type * as z from 'zod';

/** A field that may be left out. Clients send explicit nulls for everything they leave out: null is absent (contract 0.1). */
export const optional = <Schema extends z.ZodType>(schema: Schema) =>
  schema.nullish().transform((value) => value ?? undefined);
