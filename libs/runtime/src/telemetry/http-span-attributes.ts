import type { IncomingMessage, ServerResponse } from 'node:http';
import { context, SpanStatusCode, type Attributes, type Span } from '@opentelemetry/api';
import { hidesAddress } from './hidden-address.ts';

/** Asked for by machines all the time. */
const quietPaths: ReadonlySet<string> = new Set(['/livez', '/readyz', '/startupz', '/metrics', '/health']);

/** True for probes and scrapes: neither they nor what they call become spans. */
export const isQuietRequest = ({ url = '' }: Pick<IncomingMessage, 'url'>): boolean =>
  quietPaths.has(url.replace(/\?.*$/s, ''));

/** Replaces what would tell the query of an incoming request: nothing of it is for a trace. */
export const incomingSpanAttributes = (): Attributes => ({ 'url.query': undefined });

/** Replaces what would tell the query of an outgoing request: the web backend's holds the token and the signature (protocol 4.3). */
export function outgoingSpanAttributes({ origin, path }: { origin: unknown; path: string }): Attributes {
  const base = String(origin);
  if (hidesAddress(context.active())) return { 'url.full': base, 'url.path': undefined, 'url.query': undefined };
  return { 'url.full': base + path.replace(/[?#].*$/s, ''), 'url.query': undefined };
}

/** Says of a response that did not get to its end that it did not: its status alone would read as a success. */
export function markCutResponse(span: Span, response: Pick<ServerResponse, 'writableFinished'>): void {
  if (response.writableFinished) return;
  span.setAttribute('error.type', 'cancelled').setStatus({ code: SpanStatusCode.ERROR });
}
