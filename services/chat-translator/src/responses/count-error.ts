import type { RequestState } from '@zai2api/runtime';
import { TurnError } from '@zai2api/turn';
import type { ParameterizedContext } from 'koa';
import type { TranslatorMetrics } from '../metrics.ts';

/** Counts the failure of a request whose turn was not begun, unless its client has left. */
export function countError(
  { res }: ParameterizedContext<RequestState>,
  reason: unknown,
  { metrics }: { readonly metrics: Pick<TranslatorMetrics, 'errors'> },
): void {
  const { code, details } = TurnError.from(reason);
  if (!res.closed) metrics.errors.inc({ code, layer: details.layer });
}
