import type { TurnWarning } from '@zai2api/turn';

/** Names in a header of the answer what the request asked for in vain; none when everything was heeded. */
export function setIgnoredParametersHeader(
  ctx: { set(name: string, value: string): void },
  warnings: readonly Pick<TurnWarning, 'field'>[],
): void {
  if (warnings.length > 0) ctx.set('x-gateway-ignored-params', warnings.map(({ field }) => field).join(','));
}
