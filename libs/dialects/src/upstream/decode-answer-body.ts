import { TurnError, type TurnEvent } from '@zai2api/turn';
import { createSseDecoder, type SseFrame } from '../sse/decode-sse.ts';
import type { UpstreamDecoder } from './upstream-decoder.ts';

/** Turns the frames of one answer into events. */
export interface AnswerFrameReader {
  take(frame: SseFrame): void;
  /** The answer is over: `turn-end`, or the error of an empty one. Does nothing the second time. */
  finish(): void;
  /** The answer ends in an error. Does nothing once it has ended. */
  fail(error: TurnError): void;
  /** The events since the last call. */
  takeEvents(): TurnEvent[];
  /** The upstream has said that the answer is complete; counts and ids may follow. */
  readonly complete: boolean;
  /** The last event was written. */
  readonly ended: boolean;
  /** Frames that were not JSON and were passed over. */
  readonly skipped: number;
}

/** What one upstream's bodies have of their own. */
export interface AnswerBodyOptions {
  readonly reader: AnswerFrameReader;
  /** Takes a text of whole frames at once, or nothing of it: false. */
  readonly takeRun?: (frames: string) => boolean;
  /** Whether the data of a frame that broke off behind it is all there. */
  readonly isWholeFrame: (data: string) => boolean;
  /** Ends the answer whose body is no stream: a page, an error, a JSON object. */
  readonly endBody: (content: string) => void;
  /** The most that is kept of such a body, in UTF-16 units, give or take one chunk. */
  readonly maxBodyCharacters: number;
}

/** The decoder of one completion's body, whichever upstream it is from: a stream of frames, or something else. */
export function decodeAnswerBody(options: AnswerBodyOptions): UpstreamDecoder {
  const { reader, takeRun = () => false, isWholeFrame, endBody, maxBodyCharacters } = options;
  const sse = createSseDecoder({ frame: (frame) => reader.take(frame), run: takeRun });
  let body: { readonly text: TextDecoder; content: string } | undefined;
  let undecided = true;

  return {
    push(bytes) {
      if (reader.ended) return [];
      if (undecided) {
        // A stream begins with a field name or a comment; what begins otherwise is a page or JSON (protocol 8.1, 8.2, 10.3).
        const first = bytes.find((byte) => byte > 32);
        if (first === 0x3c || first === 0x7b || first === 0x5b) body = { text: new TextDecoder(), content: '' };
        undecided = first === undefined;
      }
      if (body) {
        if (body.content.length < maxBodyCharacters) body.content += body.text.decode(bytes, { stream: true });
        return [];
      }
      sse.push(bytes);
      return reader.takeEvents();
    },
    end() {
      if (reader.ended) return [];
      if (body) {
        endBody(body.content);
        return reader.takeEvents();
      }
      const { frames, cut } = sse.end();
      const last = frames.at(-1);
      const torn = cut === 'data' && (last === undefined || !isWholeFrame(last.data));
      for (const frame of torn ? frames.slice(0, -1) : frames) reader.take(frame);
      if ((torn || cut === 'other') && !reader.complete) {
        const details = { layer: 'upstream', recovery: 'repeat' } as const;
        reader.fail(new TurnError('upstream_failed', 'The upstream’s answer was cut off.', details));
      }
      reader.finish();
      return reader.takeEvents();
    },
    get complete() {
      return reader.complete || reader.ended;
    },
    get skippedFrames() {
      return reader.skipped;
    },
  };
}
