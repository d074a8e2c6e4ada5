/** Long enough for people; the upstream's own limit is unknown. */
const MAX_LENGTH = 100;

/** A plain file name: what the client said without folders and control characters, or `otherwise`; with an extension in any case. */
export function nameFile(asked: string | undefined, otherwise: string, extension: string): string {
  const plain = (asked ?? '')
    .replace(/^.*[/\\]/s, '')
    .replaceAll(/[\p{Cc}\p{Cf}"]+/gu, ' ')
    .trim()
    .slice(-MAX_LENGTH)
    .toWellFormed();
  if (/^\.*$/.test(plain)) return `${otherwise}.${extension}`;
  return /\.\w+$/.test(plain) ? plain : `${plain}.${extension}`;
}
