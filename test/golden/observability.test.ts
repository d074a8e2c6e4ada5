import { readFileSync } from 'node:fs';
import { parser } from '@prometheus-io/lezer-promql';
import { describe, expect, it } from '@jest/globals';
import { createMemoryCredentialStore } from '@zai2api/credentials';
import { createRedisGauge } from '@zai2api/runtime';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { parse } from 'yaml';
import {
  createTranslatorMetrics,
  observeBodyBytes,
  observeCredentialWaiters,
  observeResponseStore,
} from '../../services/chat-translator/src/metrics.ts';
import { registerStatusMetrics } from '../../services/chat-translator/src/status/upstream-status.ts';
import { createGatewayMetrics } from '../../services/gateway/src/metrics.ts';
import { createRefresherMetrics } from '../../services/token-refresher/src/metrics.ts';

interface Metric {
  readonly name: string;
  readonly type: string;
  readonly labels: readonly string[];
  readonly help: string;
}

const root = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');

/** What a registry holds, once it was filled. */
function metricsOf(fill: (registry: Registry) => void): Metric[] {
  const registry = new Registry();
  fill(registry);
  return registry.getMetricsAsArray().map((metric) => {
    const { labelNames } = metric as unknown as { labelNames: readonly string[] };
    return { name: metric.name, type: String(metric.type), labels: labelNames, help: metric.help };
  });
}

const store = createMemoryCredentialStore({ now: () => 0 });
const services: Readonly<Record<string, readonly Metric[]>> = {
  gateway: metricsOf((registry) => createGatewayMetrics(registry, () => 0)),
  'chat-translator': metricsOf((registry) => {
    createTranslatorMetrics(registry);
    observeBodyBytes(registry, () => 0);
    observeCredentialWaiters(registry, store);
    registerStatusMetrics(registry, []);
    observeResponseStore(registry, { entries: 0, bytes: 0 });
  }),
  'token-refresher': metricsOf((registry) => createRefresherMetrics({ registry, store })),
  all: metricsOf((registry) => createRedisGauge(registry)),
};
const ours = Object.values(services).flat();
const nodes = metricsOf((registry) => collectDefaultMetrics({ register: registry }));

describe('docs/observability.md', () => {
  const rows = read('docs/observability.md')
    .split('\n')
    .filter((line) => /^\| `(zai|gen_ai)_/.test(line))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('`', '')),
    );
  const written = Object.entries(services).flatMap(([service, metrics]) =>
    metrics.map(({ name, type, labels, help }) => [name, service, type, labels.join(', '), help]),
  );

  it.each(written)('has the row of %s', (...row) => {
    expect(rows).toContainEqual(row);
  });

  it('has no other rows', () => {
    expect(rows.map(([name]) => name)).toEqual(written.map(([name]) => name));
  });
});

it('H24: metrics have names of their own, base units and closed labels', () => {
  const names = ours.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const { name, type, labels } of ours) {
    expect(name).toMatch(
      /^(zai_(gateway|translator|refresher|credential|credentials|pool|upstream|redis)|gen_ai_(server|client))(_|$)/,
    );
    expect(name.endsWith('_total')).toBe(type === 'counter');
    for (const label of labels) expect(label).not.toMatch(/key|user|token$|id$|path|url|prompt/);
  }
});

interface Panel {
  readonly title: string;
  readonly type: string;
  readonly targets?: readonly { readonly expr: string }[];
}
interface AlertFile {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[];
}

const dashboard = JSON.parse(read('deploy/grafana/dashboard.json')) as { readonly panels: readonly Panel[] };
const alerts = parse(read('deploy/prometheus/alerts.yaml')) as AlertFile;
const expressions = [
  ...dashboard.panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => [`panel ${title}`, expr] as const),
  ),
  ...alerts.groups.flatMap(({ rules }) => rules.map(({ alert, expr }) => [`alert ${alert}`, expr] as const)),
];

/** What Prometheus adds, and what a histogram's buckets have. */
const foreignLabels = ['instance', 'job', 'le'];

/** The samples that a metric is scraped as. */
const samplesOf = ({ name, type }: Metric): string[] =>
  type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];

describe('the dashboard and the alert rules', () => {
  it('are there', () => {
    expect(dashboard.panels.length).toBeGreaterThan(15);
    expect(alerts.groups.flatMap(({ rules }) => rules).length).toBeGreaterThan(5);
  });

  it.each([
    ['panel', 'zai_upstream_status'],
    ['panel', 'zai_upstream_breaker'],
    ['panel', 'zai_upstream_last_failure_timestamp_seconds'],
    ['panel', 'zai_translator_fallbacks_total'],
    ['panel', 'zai_translator_answer_cache_total'],
    ['alert', 'zai_upstream_status'],
    ['alert', 'zai_upstream_breaker'],
    ['alert', 'zai_translator_fallbacks_total'],
  ])('have a %s of %s', (kind, metric) => {
    expect(expressions.filter(([where, text]) => where.startsWith(kind) && text.includes(metric))).not.toEqual([]);
  });

  it.each(expressions)('%s is PromQL on metrics and labels that exist', (_where, template) => {
    const expression = template.replaceAll('$__rate_interval', '5m');
    const names: string[] = [];
    const labels: string[] = [];
    parser.parse(expression).iterate({
      enter({ name, type, from, to }) {
        const text = expression.slice(from, to);
        expect([type.isError, text]).toEqual([false, text]);
        if (name === 'Identifier' || name === 'MetricIdentifier') names.push(text);
        if (name === 'LabelName') labels.push(text);
      },
    });
    expect(names.length).toBeGreaterThan(0);
    const used = [...ours, ...nodes].filter((metric) => samplesOf(metric).some((sample) => names.includes(sample)));
    const known = used.flatMap(samplesOf);
    for (const name of names) expect(known).toContain(name);
    const knownLabels = [...foreignLabels, ...used.flatMap((metric) => metric.labels)];
    for (const label of labels) expect(knownLabels).toContain(label);
  });
});
