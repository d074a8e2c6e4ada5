/** The parsed JSON text, or undefined when it is not valid JSON. The parser's error is dropped because it quotes the text. */
export function tryParseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
