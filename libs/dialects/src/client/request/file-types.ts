/** Types of files that clients send without saying more than their name. */
const typesByExtension: ReadonlyMap<string, string> = new Map([
  ['pdf', 'application/pdf'],
  ['doc', 'application/msword'],
  ['docx', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'],
  ['xls', 'application/vnd.ms-excel'],
  ['xlsx', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'],
  ['ppt', 'application/vnd.ms-powerpoint'],
  ['pptx', 'application/vnd.openxmlformats-officedocument.presentationml.presentation'],
  ['epub', 'application/epub+zip'],
  ['json', 'application/json'],
  ['xml', 'application/xml'],
  ['yaml', 'application/yaml'],
  ['yml', 'application/yaml'],
  ['html', 'text/html'],
  ['csv', 'text/csv'],
  ['md', 'text/markdown'],
  ['txt', 'text/plain'],
  ['toml', 'application/toml'],
  ['sql', 'application/sql'],
  ['css', 'text/css'],
  ['js', 'text/javascript'],
  ['ts', 'text/plain'],
  ['py', 'text/x-python'],
  ['sh', 'text/x-shellscript'],
  ['log', 'text/plain'],
  ['png', 'image/png'],
  ['jpg', 'image/jpeg'],
  ['jpeg', 'image/jpeg'],
  ['gif', 'image/gif'],
  ['webp', 'image/webp'],
  ['mp4', 'video/mp4'],
]);

const unknownType = 'application/octet-stream';
/** Types that are text although their name does not begin with it. */
const textTypes =
  /^text\/|^application\/(?:json|jsonl|x-ndjson|xml|yaml|x-yaml|toml|javascript|x-javascript|sql|x-sh)$/;

/** The declared type of a file, or the one that its name promises where the declared one says nothing. */
export function fileTypeOf(declared: string, filename: string | undefined): string {
  if (declared !== '' && declared !== unknownType) return declared;
  const extension = filename?.slice(filename.lastIndexOf('.') + 1).toLowerCase() ?? '';
  return typesByExtension.get(extension) ?? unknownType;
}

/** True for documents that a model can read as they are. */
export function isTextType(mediaType: string): boolean {
  return textTypes.test(mediaType);
}

/** The text of a document, or `undefined` when its bytes are no UTF-8 text after all. */
export function decodeText(base64: string): string | undefined {
  const binary = atob(base64);
  // A plain loop: an iterator over the characters takes ten times as long, and files are large.
  const bytes = new Uint8Array(binary.length);
  for (let index = 0; index < binary.length; index += 1) bytes[index] = binary.charCodeAt(index);
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return text.includes('\0') ? undefined : text;
  } catch {
    return undefined;
  }
}
