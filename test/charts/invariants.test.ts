import { beforeAll, describe, expect, it } from '@jest/globals';
import { containersOf, podsOf, type KubernetesObject } from './support/kubernetes-objects.ts';
import { examples, render } from './support/render-chart.ts';

/** What must hold for everything that the chart ever renders. */
describe.each(examples)('in the example %s', (example) => {
  let objects: KubernetesObject[];
  beforeAll(async () => {
    objects = await render({ example });
  });

  it('every container is restricted, and its pod is', () => {
    const pods = podsOf(objects);
    expect(pods.length).toBeGreaterThan(1);
    for (const { owner, pod } of pods) {
      expect({ owner, security: pod.spec.securityContext, token: pod.spec.automountServiceAccountToken }).toMatchObject(
        {
          security: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
          token: false,
        },
      );
      // Ids of ours, unless the platform gives its own.
      const { runAsUser } = pod.spec.securityContext ?? {};
      expect(example === 'openshift' ? runAsUser === undefined : Number(runAsUser) > 0).toBe(true);
      for (const container of containersOf(pod)) {
        expect({ owner, container: container.name, ...container.securityContext }).toMatchObject({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
        expect(container.securityContext?.capabilities?.add).toBeUndefined();
      }
    }
  });

  it('pods can write nothing but volumes of a bounded size or of their own', () => {
    for (const { pod } of podsOf(objects)) {
      for (const volume of pod.spec.volumes ?? []) {
        expect(volume).not.toHaveProperty('hostPath');
        if (volume.name === 'tmp') expect(volume).toHaveProperty('emptyDir.sizeLimit');
      }
    }
  });

  it('probes of one container differ', () => {
    for (const { pod } of podsOf(objects)) {
      for (const { startupProbe, livenessProbe, readinessProbe } of containersOf(pod)) {
        const probes = [startupProbe, livenessProbe, readinessProbe]
          .filter((probe) => probe !== undefined)
          .map(({ httpGet, tcpSocket, exec }) => JSON.stringify({ httpGet, tcpSocket, exec }));
        expect(new Set(probes).size).toBe(probes.length);
      }
    }
  });

  it('no secret is in plain sight', () => {
    for (const { pod } of podsOf(objects)) {
      for (const { env = [] } of containersOf(pod)) {
        for (const { name, value } of env) {
          const isSecret = /(KEY|TOKEN|PASSWORD|SECRET|HEADERS|AUTH)S?$/.test(name);
          expect({ name, isPlain: isSecret && value !== undefined }).toEqual({ name, isPlain: false });
          // A password in an address.
          expect(value ?? '').not.toMatch(/:\/\/[^/]*@/);
        }
      }
    }
    for (const object of objects.filter(({ kind }) => kind === 'ConfigMap')) {
      expect(JSON.stringify(object.data)).not.toMatch(/requirepass|password|sk-[a-z0-9]{8}/i);
    }
  });

  it('every Secret of the release that a pod reads is in the release', () => {
    const secrets = new Map(
      objects
        .filter(({ kind }) => kind === 'Secret')
        .map(({ metadata, data, stringData }) => [metadata.name, Object.keys({ ...data, ...stringData })]),
    );
    const read = podsOf(objects).flatMap(({ pod }) =>
      containersOf(pod).flatMap(({ env = [] }) => env.flatMap(({ valueFrom }) => valueFrom?.secretKeyRef ?? [])),
    );
    expect(read.length).toBeGreaterThan(0);
    for (const { name, key } of read.filter(({ name }) => name.startsWith('zai2api-gen') || name === 'zai2api')) {
      expect(secrets.get(name)).toContain(key);
    }
  });

  it('selectors are stable, and select the pods of their own', () => {
    const pods = podsOf(objects).map(({ pod }) => pod.metadata.labels ?? {});
    for (const { kind, metadata, spec } of objects) {
      if (!['Deployment', 'StatefulSet', 'PodDisruptionBudget', 'Service'].includes(kind)) continue;
      const selector = spec?.['selector'] as { matchLabels?: Record<string, string> } & Record<string, string>;
      const labels: Record<string, string> = selector.matchLabels ?? selector;
      expect(Object.keys(labels).sort()).toEqual([
        'app.kubernetes.io/component',
        'app.kubernetes.io/instance',
        'app.kubernetes.io/name',
      ]);
      const selected = pods.filter((pod) => Object.entries(labels).every(([key, value]) => pod[key] === value));
      expect({ kind, name: metadata.name, pods: selected.length }).toMatchObject({ pods: 1 });
    }
  });

  it('names fit into a DNS label, and objects have the recommended labels', () => {
    const identities = objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
    expect(new Set(identities).size).toBe(identities.length);
    for (const { metadata } of objects) {
      expect(metadata.name).toMatch(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
      if (metadata.name === 'zai2api-company') continue;
      expect(Object.keys(metadata.labels ?? {})).toEqual(
        expect.arrayContaining([
          'app.kubernetes.io/name',
          'app.kubernetes.io/instance',
          'app.kubernetes.io/component',
          'app.kubernetes.io/part-of',
          'app.kubernetes.io/version',
          'app.kubernetes.io/managed-by',
          'helm.sh/chart',
        ]),
      );
    }
  });

  it('services reach their containers by ports that these have', () => {
    for (const { kind, spec } of objects.filter((object) => object.kind === 'Service')) {
      const { selector, ports } = spec as { selector: Record<string, string>; ports: { targetPort: string }[] };
      const [owner] = podsOf(objects).filter(({ pod }) =>
        Object.entries(selector).every(([key, value]) => pod.metadata.labels?.[key] === value),
      );
      const names = owner?.pod.spec.containers.flatMap((container) => container.ports?.map(({ name }) => name) ?? []);
      for (const { targetPort } of ports)
        expect({ kind, names }).toEqual({ kind, names: expect.arrayContaining([targetPort]) });
    }
  });

  it('a stop leaves time for what it lets finish', () => {
    const services = podsOf(objects).filter(({ owner }) => owner.startsWith('Deployment '));
    for (const { pod } of services) {
      const [container] = pod.spec.containers;
      const seconds = (name: string): number =>
        Number(container?.env?.find((variable) => variable.name === name)?.value);
      const preStop = container?.lifecycle?.preStop?.sleep?.seconds ?? 0;
      const drainDelay = seconds('ZAI_SHUTDOWN_DRAIN_DELAY');
      const timeout = seconds('ZAI_SHUTDOWN_TIMEOUT');
      expect(preStop).toBeGreaterThan(0);
      expect(drainDelay).toBeGreaterThan(0);
      expect(timeout).toBeGreaterThan(drainDelay);
      expect(pod.spec.terminationGracePeriodSeconds).toBeGreaterThan(preStop + timeout);
    }
  });

  it('only one thing says how many pods there are', () => {
    const scaled = objects
      .filter(({ kind }) => ['HorizontalPodAutoscaler', 'ScaledObject'].includes(kind))
      .map(({ spec }) => (spec?.['scaleTargetRef'] as { name: string }).name);
    expect(new Set(scaled).size).toBe(scaled.length);
    for (const { metadata, spec } of objects.filter(({ kind }) => kind === 'Deployment')) {
      expect({ name: metadata.name, isFixed: spec?.['replicas'] !== undefined }).toEqual({
        name: metadata.name,
        isFixed: !scaled.includes(metadata.name),
      });
    }
  });

  it('a budget is there exactly where more than one pod may run', () => {
    const most = new Map<string, number>();
    for (const { kind, metadata, spec } of objects) {
      if (kind === 'Deployment') most.set(metadata.name, Number(spec?.['replicas'] ?? 0));
      if (kind === 'HorizontalPodAutoscaler') most.set(metadata.name, Number(spec?.['maxReplicas']));
      if (kind === 'ScaledObject') most.set(metadata.name, Number(spec?.['maxReplicaCount']));
    }
    // Rendered in this order of kinds: budgets, deployments, scalers.
    const budgets = objects.filter(({ kind }) => kind === 'PodDisruptionBudget');
    expect(budgets.map(({ metadata }) => metadata.name).sort()).toEqual(
      [...most].flatMap(([name, pods]) => (pods > 1 ? [name] : [])).sort(),
    );
    for (const { spec } of budgets) expect(spec).toMatchObject({ unhealthyPodEvictionPolicy: 'AlwaysAllow' });
  });

  it('policies let nothing in or out that is not named, and never to the metadata service', () => {
    const policies = objects.filter(({ kind }) => kind === 'NetworkPolicy');
    expect(policies.map(({ metadata }) => metadata.name)).toContain('zai2api-default-deny');
    for (const { metadata, spec } of policies) {
      const {
        policyTypes,
        egress = [],
        ingress = [],
      } = spec as {
        policyTypes: string[];
        egress?: { to?: { ipBlock?: { cidr: string; except?: string[] } }[]; ports?: object[] }[];
        ingress?: object[];
      };
      expect(policyTypes).toEqual(['Ingress', 'Egress']);
      if (metadata.name.endsWith('default-deny')) expect([...egress, ...ingress]).toEqual([]);
      for (const { to = [], ports } of egress) {
        expect(ports?.length).toBeGreaterThan(0);
        for (const { ipBlock } of to) {
          if (ipBlock?.cidr === '0.0.0.0/0') expect(ipBlock.except).toContain('169.254.0.0/16');
        }
      }
    }
  });
});
