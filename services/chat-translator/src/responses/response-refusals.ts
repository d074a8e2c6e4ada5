import { TurnError } from '@zai2api/turn';

const BUSY_SECONDS = 5;

/** What is to run in the background has to be kept, and this process keeps nothing. */
export function nothingIsKept(): TurnError {
  return new TurnError('unsupported', 'Nothing is kept here, so nothing can run in the background.', {
    layer: 'client',
    param: 'background',
    reason: 'unsupported_parameter',
  });
}

/** This process runs as many responses in the background as it may. */
export function tooManyInBackground(): TurnError {
  return new TurnError('rate_limited', 'Too many responses run in the background here.', {
    layer: 'internal',
    reason: 'concurrency_limit_exceeded',
    retryAfterSeconds: BUSY_SECONDS,
  });
}

/** As many clients as may read along with a response here. */
export function tooManyFollowers(): TurnError {
  return new TurnError('rate_limited', 'Too many clients follow this response already.', {
    layer: 'internal',
    reason: 'concurrency_limit_exceeded',
    retryAfterSeconds: BUSY_SECONDS,
  });
}

/** What is to run in the background is larger than what is kept of one response, before anything was answered. */
export function tooLargeToKeep(): TurnError {
  return new TurnError('invalid_request', 'The conversation is larger than what is kept of a response.', {
    layer: 'client',
    param: 'input',
    reason: 'response_too_large',
  });
}
