import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { waitFor } from './wait-for.ts';

/** A span as it was sent, with the parts that tests look at in plain form. */
export interface SentSpan {
  readonly service: string;
  readonly scope: string;
  readonly name: string;
  readonly kind: 'INTERNAL' | 'SERVER' | 'CLIENT' | 'PRODUCER' | 'CONSUMER';
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for a root. */
  readonly parentSpanId: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly isError: boolean;
  readonly durationMs: number;
}

/** A small OTLP receiver for traces as JSON. `await using` closes it. */
export interface OtlpCollector extends AsyncDisposable {
  /** The variables that make a process send its traces here, soon. */
  readonly env: Readonly<Record<string, string>>;
  readonly spans: readonly SentSpan[];
  /** How many connections were made, whatever for. */
  readonly connections: number;
  /** Everything that was sent, as it was sent, request heads included. */
  received(): string;
  /** The first span that fits; rejects when none comes in time. */
  find(what: string, fits: (span: SentSpan) => boolean): Promise<SentSpan>;
  close(): Promise<void>;
}

const kinds = ['INTERNAL', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'] as const;
const ERROR_STATUS = 2;
const PATIENCE_MS = 10_000;

interface WireValue {
  readonly stringValue?: string;
  readonly intValue?: number | string;
  readonly doubleValue?: number;
  readonly boolValue?: boolean;
  readonly arrayValue?: { readonly values: readonly WireValue[] };
}
type WireAttributes = readonly { readonly key: string; readonly value: WireValue }[];
interface WireSpan {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: WireAttributes;
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status?: { readonly code?: number };
}
interface WireBody {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: WireAttributes };
    readonly scopeSpans: readonly { readonly scope: { readonly name: string }; readonly spans: readonly WireSpan[] }[];
  }[];
}

/** Listens on a free port and takes what it gets. */
export async function startOtlpCollector(): Promise<OtlpCollector> {
  const spans: SentSpan[] = [];
  const bodies: string[] = [];
  let connections = 0;
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      bodies.push(JSON.stringify(request.headers), body);
      spans.push(...decode(JSON.parse(body) as WireBody));
      response.setHeader('content-type', 'application/json').end('{}');
    });
  });
  server.on('connection', () => {
    connections++;
  });
  await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0 }, resolve));
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return {
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_BSP_SCHEDULE_DELAY: '50',
    },
    spans,
    get connections() {
      return connections;
    },
    received: () => bodies.join('\n'),
    find: (what, fits) => waitFor(() => spans.find(fits), { withinMs: PATIENCE_MS, what: `the span: ${what}` }),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function decode({ resourceSpans }: WireBody): SentSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = String(plain(resource.attributes)['service.name']);
    return scopeSpans.flatMap(({ scope, spans }) =>
      spans.map((span) => ({
        service,
        scope: scope.name,
        name: span.name,
        kind: kinds[span.kind] ?? 'INTERNAL',
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId ?? '',
        attributes: plain(span.attributes),
        links: span.links ?? [],
        isError: span.status?.code === ERROR_STATUS,
        durationMs: Number(BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano)) / 1e6,
      })),
    );
  });
}

const plain = (attributes: WireAttributes): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, plainValue(value)]));

function plainValue({ stringValue, intValue, doubleValue, boolValue, arrayValue }: WireValue): unknown {
  if (arrayValue) return arrayValue.values.map(plainValue);
  return stringValue ?? (intValue === undefined ? (doubleValue ?? boolValue) : Number(intValue));
}
