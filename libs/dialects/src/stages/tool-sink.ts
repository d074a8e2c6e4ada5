/** What a reader of text finds in it. */
export interface ToolSink {
  text(text: string): void;
  /** Markup was taken out here; `open` when it begins a block of calls. */
  markup(kind: 'open' | 'other'): void;
  /** A call begins. False when it is not the client's to run: nothing more is said about it. */
  begin(name: string): boolean;
  /** More of the arguments of the call that began: text that stands whatever follows. */
  grow(argumentsText: string): void;
  /**
   * The call is over. `argumentsText` is the whole JSON text, of which `grow` has told a beginning; undefined when it cannot be read.
   * `repaired` when it is not what stood there.
   */
  finish(argumentsText: string | undefined, repaired: boolean): void;
  /** Markup of a call was taken out that does not even say which one. */
  unreadable(): void;
}
