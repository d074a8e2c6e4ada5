/** What pure codecs may not take for themselves: time, ids and token counts. Golden files stay byte-stable that way. */
export interface CodecContext {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** A fresh id: letters, digits, `_` and `-`, unique in the process. */
  readonly newId: () => string;
  /** Estimated tokens of a text, for answers whose upstream sent no counts. */
  readonly countTokens: (text: string) => number;
}
