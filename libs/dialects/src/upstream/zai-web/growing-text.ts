/** A text that is written in many small pieces and read rarely. */
export interface GrowingText {
  readonly length: number;
  append(piece: string): void;
  /** The whole text. */
  read(): string;
  /** Everything is replaced. */
  write(text: string): void;
}

/** So many pieces are joined at once. Adding each to one string would build a rope that holds, for a token of six bytes, ninety. */
const JOINED_PIECES = 512;

/** An empty text. */
export function createGrowingText(): GrowingText {
  let joined = '';
  let pieces: string[] = [];
  let length = 0;

  function join(): void {
    if (pieces.length === 0) return;
    joined += pieces.join('');
    pieces = [];
  }

  return {
    get length() {
      return length;
    },
    append(piece) {
      length += piece.length;
      if (pieces.push(piece) === JOINED_PIECES) join();
    },
    read() {
      join();
      return joined;
    },
    write(text) {
      joined = text;
      pieces = [];
      length = text.length;
    },
  };
}
