import { context, createContextKey, type Context } from '@opentelemetry/api';

const key = createContextKey('zai2api: the other side of this call is ours');

/**
 * Makes a call to a service of our own: it may carry the trace context. No other call does: an upstream would see in it that a program
 * asks, and which requests belong together.
 */
export function onInnerHop<T>(call: () => T): T {
  return context.with(context.active().setValue(key, true), call);
}

/** Whether what is called in this context is ours. */
export const isInnerHop = (active: Context): boolean => active.getValue(key) === true;
