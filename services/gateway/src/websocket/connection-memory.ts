import { continueInput, isRecord } from '@zai2api/dialects';

type Body = Readonly<Record<string, unknown>>;

/**
 * What one connection remembers: the whole context of the latest response of each lane, so that a client may go on from it with new items
 * alone, also where nothing is stored (contract 2.8).
 */
export interface ConnectionMemory {
  /** The request with what it goes on from in front of its own items; the very same one when that is not remembered here. */
  complete(body: Body): Body;
  /** Remembers a finished response and the completed request that it answers. */
  remember(lane: string, id: string, request: Body, output: readonly unknown[]): void;
}

/** The memory of one connection. */
export function createConnectionMemory(): ConnectionMemory {
  const byLane = new Map<string, { readonly id: string; readonly input: unknown[]; readonly output: unknown[] }>();
  return {
    complete(body) {
      const { previous_response_id: previousId, ...rest } = body;
      const known = [...byLane.values()].find(({ id }) => id === previousId);
      return known ? { ...rest, input: continueInput(known, body['input']) } : body;
    },
    remember(lane, id, request, output) {
      // What it went on from is known elsewhere alone: so is the rest.
      if (typeof request['previous_response_id'] === 'string') byLane.delete(lane);
      else
        byLane.set(lane, {
          id,
          input: continueInput({ input: [], output: [] }, request['input']),
          output: output.filter(isRecord),
        });
    },
  };
}
