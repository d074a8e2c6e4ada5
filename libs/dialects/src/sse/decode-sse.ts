import { createParser } from 'eventsource-parser';

/** One frame: the joined `data:` lines and the event name, when there was one. */
export interface SseFrame {
  readonly event: string | undefined;
  readonly data: string;
}

/** Bytes in, frames out; holds what is incomplete. */
export interface SseDecoder {
  push(bytes: Uint8Array): SseFrame[];
  /**
   * The frame that lacked its blank line when the stream ended, if any. `cut` says that the stream stopped inside a line: in
   * `data`, which may be whole all the same (the caller can tell from the last frame), or in one that can no longer be told.
   */
  end(): { frames: SseFrame[]; cut: 'no' | 'data' | 'other' };
}

/** An answer is one document; a single frame that holds more than this is not an answer. Frames of several MB occur (protocol 5.1). */
const MAX_FRAME_CHARACTERS = 64 * 1024 * 1024;

/** A decoder for one response body. Chunks may be cut anywhere, also inside a UTF-8 sequence. */
export function createSseDecoder(): SseDecoder {
  const text = new TextDecoder();
  let frames: SseFrame[] = [];
  /** The beginning of the line that has no end yet. */
  let lineHead = '';
  const parser = createParser({
    maxBufferSize: MAX_FRAME_CHARACTERS,
    onEvent: ({ event, data }) => frames.push({ event, data }),
  });

  const take = (): SseFrame[] => {
    const taken = frames;
    frames = [];
    return taken;
  };
  const feed = (piece: string): void => {
    if (piece === '') return;
    parser.feed(piece);
    const lineBreak = Math.max(piece.lastIndexOf('\n'), piece.lastIndexOf('\r'));
    if (lineBreak >= 0) lineHead = '';
    if (lineHead.length < 5) lineHead += piece.slice(lineBreak + 1, lineBreak + 6);
  };

  return {
    push(bytes) {
      feed(text.decode(bytes, { stream: true }));
      return take();
    },
    end() {
      feed(text.decode());
      const cut = lineHead === '' ? 'no' : lineHead.startsWith('data:') ? 'data' : 'other';
      parser.feed('\n\n');
      return { frames: take(), cut };
    },
  };
}
