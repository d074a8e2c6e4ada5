import { TurnError } from '@zai2api/turn';
import { createSseDecoder } from '../../sse/decode-sse.ts';
import type { UpstreamDecoder } from '../upstream-decoder.ts';
import { decodeHttpError } from './decode-error.ts';
import { createFrameReader, isWholeFrame, type FrameReaderOptions } from './read-frames.ts';

/** What the decoder has to know about its turn. */
export type ZaiWebDecoderOptions = FrameReaderOptions;

/** Enough of a body that is no stream to recognise what it says. */
const MAX_BODY_CHARACTERS = 64 * 1024;

/** The decoder of one completion's body (protocol 5). */
export function createZaiWebDecoder(options: ZaiWebDecoderOptions): UpstreamDecoder {
  const reader = createFrameReader(options);
  const sse = createSseDecoder({ frame: (frame) => reader.take(frame), run: (text) => reader.takeRun(text) });
  let body: { readonly text: TextDecoder; content: string } | undefined;
  let undecided = true;

  return {
    push(bytes) {
      if (reader.ended) return [];
      if (undecided) {
        // A stream begins with a field name or a comment; what begins otherwise is a page or an error body (protocol 8.1, 8.2).
        const first = bytes.find((byte) => byte > 32);
        if (first === 0x3c || first === 0x7b || first === 0x5b) body = { text: new TextDecoder(), content: '' };
        undecided = first === undefined;
      }
      if (body) {
        if (body.content.length < MAX_BODY_CHARACTERS) body.content += body.text.decode(bytes, { stream: true });
        return [];
      }
      sse.push(bytes);
      return reader.takeEvents();
    },
    end() {
      if (reader.ended) return [];
      if (body) {
        reader.fail(decodeHttpError(200, '', body.content));
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
