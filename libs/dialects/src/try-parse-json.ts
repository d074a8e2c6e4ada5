/** The value of a JSON text; undefined when it is none. The parser's own error is not told on: it quotes the text. */
export function tryParseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
