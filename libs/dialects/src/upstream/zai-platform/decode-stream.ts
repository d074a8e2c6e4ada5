import { TurnError } from '@zai2api/turn';
import { createSseDecoder } from '../../sse/decode-sse.ts';
import type { UpstreamDecoder } from '../upstream-decoder.ts';
import { decodeHttpError } from './decode-error.ts';
import { createPlatformFrameReader, isWholeFrame, type PlatformFrameReaderOptions } from './read-frames.ts';

/** What the decoder has to know about its turn. */
export type ZaiPlatformDecoderOptions = PlatformFrameReaderOptions;

/** A whole answer is as long as the model speaks. */
const MAX_BODY_CHARACTERS = 16 * 1024 * 1024;

/** The decoder of one completion's body: a stream, or the one JSON object of an answer that was not streamed (protocol 10.3). */
export function createZaiPlatformDecoder(options: ZaiPlatformDecoderOptions): UpstreamDecoder {
  const reader = createPlatformFrameReader(options);
  const sse = createSseDecoder({ frame: (frame) => reader.take(frame), run: () => false });
  let body: { readonly text: TextDecoder; content: string } | undefined;
  let undecided = true;

  function endBody(content: string): void {
    if (/^\s*\{[^]*"choices"/.test(content) && isWholeFrame(content)) {
      reader.take({ event: undefined, data: content.replaceAll(/[\r\n]+/g, ' ') });
      reader.finish();
    } else {
      reader.fail(decodeHttpError(200, '', content, { nowMs: options.context.now() }));
    }
  }

  return {
    push(bytes) {
      if (reader.ended) return [];
      if (undecided) {
        // A stream begins with a field name or a comment; what begins otherwise is a page or a JSON body.
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
