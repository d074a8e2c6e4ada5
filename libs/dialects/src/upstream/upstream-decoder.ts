import type { TurnEvent } from '@zai2api/turn';

/** Turns the bytes of one upstream answer into events; one per stream, synchronous, thrown away with the stream. */
export interface UpstreamDecoder {
  push(bytes: Uint8Array): TurnEvent[];
  /** The body has ended. Yields the `turn-end` or `turn-error` unless it was sent before. */
  end(): TurnEvent[];
  /** True once the upstream has said that the answer is complete, although more frames (usage, ids) may follow. */
  readonly complete: boolean;
  /** Frames that were not JSON and were passed over. */
  readonly skippedFrames: number;
}
