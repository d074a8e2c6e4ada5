/** What a JSON Schema finds wrong with a value, one sentence each with the place; empty when it is fine. */
export type SchemaCheck = (schema: Readonly<Record<string, unknown>>, value: unknown) => readonly string[];
