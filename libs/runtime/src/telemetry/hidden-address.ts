import { context, createContextKey, type Context } from '@opentelemetry/api';

const key = createContextKey('zai2api: the address of this call is a secret');

/** Makes a call whose address somebody else chose: spans name its host and no more, as paths of such addresses may grant access. */
export function withHiddenAddress<T>(call: () => T): T {
  return context.with(context.active().setValue(key, true), call);
}

/** Whether spans of this context must not show paths. */
export const hidesAddress = (active: Context): boolean => active.getValue(key) === true;
