import { decodeAnswerBody } from '../decode-answer-body.ts';
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

  function endBody(content: string): void {
    if (/^\s*\{[^]*"choices"/.test(content) && isWholeFrame(content)) {
      reader.take({ event: undefined, data: content.replaceAll(/[\r\n]+/g, ' ') });
      reader.finish();
    } else {
      reader.fail(decodeHttpError(200, '', content, { nowMs: options.context.now() }));
    }
  }

  return decodeAnswerBody({
    reader,
    takeRun: (frames) => reader.takeRun(frames),
    isWholeFrame,
    endBody,
    maxBodyCharacters: MAX_BODY_CHARACTERS,
  });
}
