/** One text out of several parts: a line break goes between two of them unless one side brings its own. */
export function joinParts(parts: readonly string[]): string {
  return parts.reduce((joined, part) => {
    const separate = joined !== '' && part !== '' && !joined.endsWith('\n') && !part.startsWith('\n');
    return separate ? `${joined}\n${part}` : joined + part;
  }, '');
}
