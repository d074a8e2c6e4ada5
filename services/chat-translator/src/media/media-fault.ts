/** Why an attachment cannot be used. `unreachable` is one word for refused, unknown, silent and broken: what it was tells about our network. */
export type MediaFaultKind = 'unreachable' | 'too-large' | 'wrong-type' | 'not-base64';

/** A failure on the way to the bytes of an attachment. Its message is for the log; it holds no address. */
export class MediaFault extends Error {
  override readonly name = 'MediaFault';
  readonly kind: MediaFaultKind;

  constructor(kind: MediaFaultKind, why: string) {
    super(`${kind}: ${why}`);
    this.kind = kind;
  }
}
