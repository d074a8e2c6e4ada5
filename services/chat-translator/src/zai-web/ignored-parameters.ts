import type { TurnRequest, TurnWarning } from '@zai2api/turn';

/** What a request asks for that the web backend cannot do: it has no sampling parameters that are known to work (protocol 4.6, 12.8). */
export function ignoredByZaiWeb({ sampling }: TurnRequest): TurnWarning[] {
  const fields = [
    ...(sampling.temperature === undefined ? [] : ['temperature']),
    ...(sampling.topP === undefined ? [] : ['top_p']),
  ];
  return fields.map((field) => ({ code: 'ignored-parameter', field }));
}
