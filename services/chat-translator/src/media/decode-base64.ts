import { MediaFault } from './media-fault.ts';

/** The bytes of Base64 without line breaks; padding may be missing. Throws a MediaFault, and decodes nothing that is over `maxBytes`. */
export function decodeBase64(text: string, maxBytes: number): Uint8Array<ArrayBuffer> {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const digits = text.length - padding;
  const size = Math.floor((digits * 3) / 4);
  if (size > maxBytes) throw new MediaFault('too-large', 'declared');
  const fits = digits > 0 && digits % 4 !== 1 && (padding === 0 || text.length % 4 === 0);
  // What is left of the padding inside the text is no digit either.
  if (!fits || /[^A-Za-z0-9+/]/.test(padding === 0 ? text : text.slice(0, digits))) {
    throw new MediaFault('not-base64', 'characters');
  }
  return Buffer.from(text, 'base64');
}
