import type { Readable, Transform } from 'node:stream';
import zlib from 'node:zlib';
import { TurnError } from '@zai2api/turn';

/** No more than web content may use (RFC 9659): a larger window is memory that the sender chooses. */
const ZSTD_WINDOW_LOG_MAX = 23;

const decoders: Readonly<Record<string, () => Transform & { readonly bytesWritten: number }>> = {
  gzip: () => zlib.createGunzip(),
  'x-gzip': () => zlib.createGunzip(),
  deflate: () => zlib.createInflate(),
  br: () => zlib.createBrotliDecompress(),
  zstd: () => zlib.createZstdDecompress({ params: { [zlib.constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_MAX } }),
};

/** Text that is written to be read comes nowhere near it. */
const MAX_RATIO = 200;
/** Below it a ratio says nothing: a few repeated words have a high one. */
const RATIO_FREE_BYTES = 4 * 1024 * 1024;

/** A body with its compression taken off. */
export interface DecompressedBody {
  readonly stream: Readable;
  /** To be told of the bytes that came out so far. Throws a TurnError `request_too_large` when they are too many for those that went in. */
  checkRatio(bytesOut: number): void;
  /** What a failure of the stream means to the client. */
  explain(reason: unknown): unknown;
  /** Frees the decoder; what is left of the body stays unread. */
  close(): void;
}

/**
 * Takes off the `Content-Encoding` of a body, chunk by chunk, in bounded memory (contract 5.6). Throws a TurnError `unsupported_media_type`
 * for an encoding that is not known, or more than one.
 */
export function decompressBody(body: Readable, contentEncoding: string): DecompressedBody {
  const encoding = contentEncoding.trim().toLowerCase();
  if (encoding === '' || encoding === 'identity') {
    return { stream: body, checkRatio: () => undefined, explain: (reason) => reason, close: () => undefined };
  }
  const create = Object.hasOwn(decoders, encoding) ? decoders[encoding] : undefined;
  if (create === undefined) {
    throw new TurnError(
      'unsupported_media_type',
      'The body has an unknown Content-Encoding. Supported are gzip, deflate, br, zstd and none.',
      { layer: 'client' },
    );
  }
  const decoder = create();
  // Failures are for whoever reads the stream, if anybody does by then.
  decoder.on('error', () => undefined);
  // A pipe hands on neither failures nor an early end.
  body.once('error', (reason) => decoder.destroy(reason));
  body.once('close', () => {
    if (!body.readableEnded) decoder.destroy(new DOMException('The client closed the request.', 'AbortError'));
  });
  return {
    stream: body.pipe(decoder),
    checkRatio(bytesOut) {
      if (bytesOut <= RATIO_FREE_BYTES || bytesOut <= decoder.bytesWritten * MAX_RATIO) return;
      throw new TurnError('request_too_large', 'The body is compressed more than any text can be.', {
        layer: 'client',
      });
    },
    explain(reason) {
      const isForeign = body.errored !== null || !isDecoderFault(reason);
      if (isForeign) return reason;
      return new TurnError('invalid_request', 'The body is not what its Content-Encoding says.', {
        layer: 'client',
        cause: reason,
      });
    },
    close() {
      body.unpipe(decoder);
      decoder.destroy();
    },
  };
}

function isDecoderFault(reason: unknown): boolean {
  if (TurnError.is(reason) || typeof reason !== 'object' || reason === null || !('code' in reason)) return false;
  return /^(?:Z_|ZSTD_|ERR_|BROTLI)/.test(String(reason.code));
}
