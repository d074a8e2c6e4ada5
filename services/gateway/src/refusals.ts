import { TurnError } from '@zai2api/turn';

/** For what still arrives during the stop: another instance, or this one after its restart, can serve it. */
export function shuttingDown(): TurnError {
  return new TurnError('shutting_down', 'This instance is shutting down. Try again.', {
    layer: 'gateway',
    retryAfterSeconds: 1,
  });
}

/** For a path, given without its query, at which nothing is. */
export function unknownUrl(method: string, path: string): TurnError {
  return new TurnError('not_found', `Invalid URL (${method} ${path})`, { layer: 'client' });
}
