/**
 * Response headers of every event stream (contract 1.4). `no-transform` and `x-accel-buffering` keep proxies from compressing or
 * collecting the frames; there is no `content-length` and no `content-encoding` on purpose. `connection` is the server's to say: it knows
 * whether the client, or its own stop, wants the connection closed.
 */
export const streamHeaders: Readonly<Record<string, string>> = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
};
