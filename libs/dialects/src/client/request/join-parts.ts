/** One text out of several parts: a line break goes between two of them unless one side brings its own. Linear in all of the text. */
export function joinParts(parts: readonly string[]): string {
  const pieces: string[] = [];
  for (const part of parts) {
    if (part === '') continue;
    const last = pieces.at(-1);
    if (last !== undefined && !last.endsWith('\n') && !part.startsWith('\n')) pieces.push('\n');
    pieces.push(part);
  }
  return pieces.join('');
}
