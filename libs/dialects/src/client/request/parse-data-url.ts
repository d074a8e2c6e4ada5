/** What a `data:` URL carries. */
export interface DataUrl {
  /** Lower case, without parameters; `''` when the URL names none. */
  readonly mediaType: string;
  readonly base64: string;
}

const mediaTypePattern = /^[a-z0-9][\w!#$&^.+-]{0,126}\/[a-z0-9][\w!#$&^.+-]{0,126}$/;

/** The parts of a base64 `data:` URL, or `undefined` when it is none. No pattern runs over the payload with a way back: it may be huge. */
export function parseDataUrl(url: string): DataUrl | undefined {
  const comma = url.indexOf(',');
  if (comma < 0 || url.slice(0, 5).toLowerCase() !== 'data:') return undefined;
  const parameters = url.slice(5, comma).toLowerCase().split(';');
  if (parameters.pop()?.trim() !== 'base64') return undefined;
  const mediaType = parameters[0]?.trim() ?? '';
  // It ends up in a header of the upload.
  if (mediaType !== '' && !mediaTypePattern.test(mediaType)) return undefined;
  const base64 = parseBase64(url.slice(comma + 1));
  return base64 === undefined ? undefined : { mediaType, base64 };
}

/** Base64 without line breaks, or `undefined` when the text is empty or something else. */
export function parseBase64(text: string): string | undefined {
  const base64 = /\s/.test(text) ? text.replaceAll(/\s+/g, '') : text;
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0;
  const digits = base64.length - padding;
  if (digits === 0 || digits % 4 === 1 || (padding > 0 && base64.length % 4 !== 0)) return undefined;
  // What is left of the padding inside the text is no digit either.
  return /[^A-Za-z0-9+/]/.test(padding > 0 ? base64.slice(0, digits) : base64) ? undefined : base64;
}
