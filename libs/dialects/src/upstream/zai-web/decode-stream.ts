import { decodeAnswerBody } from '../decode-answer-body.ts';
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
  return decodeAnswerBody({
    reader,
    takeRun: (frames) => reader.takeRun(frames),
    isWholeFrame,
    endBody: (content) => reader.fail(decodeHttpError(200, '', content)),
    maxBodyCharacters: MAX_BODY_CHARACTERS,
  });
}
