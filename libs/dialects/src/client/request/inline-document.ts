/** The text between two lines that name it, so that the model knows where the client's own words go on. */
export function inlineDocument(text: string, filename = 'document'): string {
  const name = filename.replaceAll(/[\s"<>]+/g, ' ').trim();
  return `<document name="${name}">\n${text}${text.endsWith('\n') ? '' : '\n'}</document>`;
}
