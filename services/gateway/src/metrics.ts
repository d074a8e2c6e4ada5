import type { Registry } from '@zai2api/runtime';
import { Counter, Gauge, Histogram } from 'prom-client';

/** The names of the gateway's metrics, once (contract 6.2). Labels are closed and few. */
export interface GatewayMetrics {
  readonly requests: Counter<'route' | 'status'>;
  readonly duration: Histogram<'route'>;
  readonly inflight: Gauge<'route'>;
  readonly queueWait: Histogram;
  readonly queueLength: Gauge;
  readonly rateLimited: Counter<'limit'>;
  readonly webSockets: Gauge;
  readonly errors: Counter<'code' | 'layer'>;
}

/** Thinking answers run for minutes. */
const durationBuckets = [
  0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92, 120, 300, 600,
];
const waitBuckets = [0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Registers the metrics. `queueLength` is asked at each scrape. */
export function createGatewayMetrics(registry: Registry, queueLength: () => number): GatewayMetrics {
  const registers = [registry];
  return {
    requests: new Counter({
      name: 'zai_gateway_requests_total',
      help: 'Requests that are over, by status; 499: the client left.',
      labelNames: ['route', 'status'],
      registers,
    }),
    duration: new Histogram({
      name: 'zai_gateway_request_duration_seconds',
      help: 'From the first header to the last byte of the response.',
      labelNames: ['route'],
      buckets: durationBuckets,
      registers,
    }),
    inflight: new Gauge({
      name: 'zai_gateway_inflight_requests',
      help: 'Requests whose response is not over.',
      labelNames: ['route'],
      registers,
    }),
    queueWait: new Histogram({
      name: 'zai_gateway_queue_wait_seconds',
      help: 'How long turns waited for their start.',
      buckets: waitBuckets,
      registers,
    }),
    queueLength: new Gauge({
      name: 'zai_gateway_queue_length',
      help: 'Turns that wait for their start.',
      registers,
      collect() {
        this.set(queueLength());
      },
    }),
    webSockets: new Gauge({
      name: 'zai_gateway_websocket_connections',
      help: 'Open WebSockets.',
      registers,
    }),
    rateLimited: new Counter({
      name: 'zai_gateway_rate_limited_total',
      help: 'Requests that a limit refused.',
      labelNames: ['limit'],
      registers,
    }),
    errors: new Counter({
      name: 'zai_gateway_errors_total',
      help: 'Errors that the gateway answered with, by code and by the layer in which they began; those of the service behind it pass by.',
      labelNames: ['code', 'layer'],
      registers,
    }),
  };
}
