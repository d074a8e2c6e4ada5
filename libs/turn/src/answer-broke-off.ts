import { TurnError } from './turn-error.ts';

/** The upstream stopped without a word before the answer was complete. */
export function answerBrokeOff(): TurnError {
  return new TurnError('upstream_failed', 'The answer ended before it was complete.', { layer: 'upstream' });
}
