import type http from 'node:http';
import { onResponseClose } from './on-response-close.ts';

/**
 * A signal that aborts when the response is closed before it was finished: the client left. A client that only ends its own side
 * (half-close) has not left. The reason is an `AbortError`.
 */
export function abortOnClose(response: http.ServerResponse): AbortSignal {
  const controller = new AbortController();
  onResponseClose(response, () => {
    if (!response.writableFinished) controller.abort(new DOMException('The client closed the request.', 'AbortError'));
  });
  return controller.signal;
}
