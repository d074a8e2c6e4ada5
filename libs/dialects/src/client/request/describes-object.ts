/** At the root these let values pass that are no objects. */
const openRoots = ['anyOf', 'oneOf', 'not', 'enum', 'const'];

/** True when only objects can pass this JSON Schema, as far as its root says. */
export function describesObject(schema: Readonly<Record<string, unknown>>): boolean {
  const { type } = schema;
  if (type !== undefined) return type === 'object';
  return !openRoots.some((keyword) => keyword in schema);
}
