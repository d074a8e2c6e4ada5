import { createParser } from 'eventsource-parser';

/** One frame: the joined `data:` lines and the event name, when there was one. */
export interface SseFrame {
  readonly event: string | undefined;
  readonly data: string;
}

/** Bytes in, frames out to the listener; holds what is incomplete. */
export interface SseDecoder {
  push(bytes: Uint8Array): void;
  /**
   * The frame that lacked its blank line when the stream ended, if any. `cut` says that the stream stopped inside a line: in
   * `data`, which may be whole all the same (the caller can tell from the last frame), or in one that can no longer be told.
   */
  end(): { frames: SseFrame[]; cut: 'no' | 'data' | 'other' };
}

/** Takes what a stream says, in its order. */
export interface SseListener {
  frame(frame: SseFrame): void;
  /** Is offered each stretch of whole frames first, as it came in. True: it is taken; false: its frames follow one by one. */
  run(text: string): boolean;
}

/** An answer is one document; a single frame that holds more than this is not an answer. Frames of several MB occur (protocol 5.1). */
const MAX_FRAME_CHARACTERS = 64 * 1024 * 1024;

/** A decoder for one response body. Chunks may be cut anywhere, also inside a UTF-8 sequence. */
export function createSseDecoder(listener: SseListener): SseDecoder {
  const text = new TextDecoder();
  let last: SseFrame[] | undefined;
  /** The beginning of the line that has no end yet. */
  let lineHead = '';
  let betweenFrames = false;
  const parser = createParser({
    maxBufferSize: MAX_FRAME_CHARACTERS,
    onEvent({ event, data }) {
      if (last) last.push({ event, data });
      else listener.frame({ event, data });
    },
  });

  const feed = (piece: string): void => {
    if (piece === '') return;
    parser.feed(piece);
    betweenFrames = piece.endsWith('\n\n');
    const lineBreak = Math.max(piece.lastIndexOf('\n'), piece.lastIndexOf('\r'));
    if (lineBreak >= 0) lineHead = '';
    if (lineHead.length < 5) lineHead += piece.slice(lineBreak + 1, lineBreak + 6);
  };

  return {
    push(bytes) {
      const piece = text.decode(bytes, { stream: true });
      // From where no frame is open to where none is; both are behind a blank line.
      const from = betweenFrames ? 0 : piece.indexOf('\n\n') + 2;
      const to = piece.lastIndexOf('\n\n') + 2;
      if (from === 1 || to <= from) {
        feed(piece);
        return;
      }
      feed(piece.slice(0, from));
      const run = piece.slice(from, to);
      if (!listener.run(run)) feed(run);
      feed(piece.slice(to));
    },
    end() {
      last = [];
      feed(text.decode());
      const cut = lineHead === '' ? 'no' : lineHead.startsWith('data:') ? 'data' : 'other';
      parser.feed('\n\n');
      return { frames: last, cut };
    },
  };
}
