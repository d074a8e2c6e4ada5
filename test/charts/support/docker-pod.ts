import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { objectOf, type Container, type KubernetesObject, type Pod } from './kubernetes-objects.ts';
import { runTool, runToolOrThrow, type ToolRun } from './run-tool.ts';

/** Where pods run in place of a cluster. */
export interface DockerPlace {
  readonly network: string;
  /** A folder for what is mounted. */
  readonly folder: string;
  /** What the pods refer to. */
  readonly objects: readonly KubernetesObject[];
}

/**
 * The arguments of `docker run` for a pod of one container, as a kubelet would run it: user, read-only file system, dropped capabilities, memory,
 * volumes, variables with the secrets in them, command, and the names of the Services that select it.
 */
async function dockerArguments(place: DockerPlace, pod: Pod): Promise<string[]> {
  const [container] = pod.spec.containers;
  if (container === undefined) throw new Error('The pod has no container.');
  const { runAsUser, runAsGroup } = pod.spec.securityContext as { runAsUser: number; runAsGroup: number };
  const memory = (container.resources as { limits?: { memory?: string } } | undefined)?.limits?.memory;
  const names = place.objects
    .filter(({ kind, spec }) => kind === 'Service' && selects(spec?.['selector'], pod))
    .map(({ metadata }) => metadata.name);
  const [entrypoint, ...rest] = container.command ?? [];
  return [
    `--network=${place.network}`,
    ...names.map((name) => `--network-alias=${name}`),
    `--user=${runAsUser}:${runAsGroup}`,
    ...(container.securityContext?.readOnlyRootFilesystem ? ['--read-only'] : []),
    ...(container.securityContext?.capabilities?.drop ?? []).map((name) => `--cap-drop=${name}`),
    ...(container.securityContext?.allowPrivilegeEscalation === false ? ['--security-opt=no-new-privileges'] : []),
    ...(memory === undefined ? [] : [`--memory=${memory.replace(/i$/, '')}`]),
    ...(await volumeArguments(place, pod, container)),
    ...variables(place, container).map(([name, value]) => `--env=${name}=${value}`),
    ...(entrypoint === undefined ? [] : [`--entrypoint=${entrypoint}`]),
    container.image,
    ...rest,
    ...(container.args ?? []),
  ];
}

/** Starts a pod in the background; gives the id and the address of its container. */
export async function startPod(
  place: DockerPlace,
  pod: Pod,
): Promise<{ readonly id: string; readonly address: string }> {
  const id = (await runToolOrThrow('docker', ['run', '--detach', ...(await dockerArguments(place, pod))])).trim();
  const address = await runToolOrThrow('docker', [
    'inspect',
    '--format={{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}',
    id,
  ]);
  return { id, address: address.trim() };
}

/** Runs a pod to its end. */
export async function runPod(place: DockerPlace, pod: Pod): Promise<ToolRun> {
  return runTool('docker', ['run', '--rm', ...(await dockerArguments(place, pod))]);
}

function variables({ objects }: DockerPlace, { env = [] }: Container): [name: string, value: string][] {
  return env.map(({ name, value, valueFrom }) => {
    const reference = valueFrom?.secretKeyRef;
    if (reference === undefined) return [name, value ?? ''];
    const { data } = objectOf(objects, 'Secret', reference.name);
    return [name, Buffer.from(data?.[reference.key] ?? '', 'base64').toString()];
  });
}

async function volumeArguments({ folder, objects }: DockerPlace, pod: Pod, container: Container): Promise<string[]> {
  const mounts = (container.volumeMounts ?? []).map(async ({ name, mountPath }) => {
    const volume = pod.spec.volumes?.find((one) => one.name === name);
    // As the kubelet makes it: everybody may write.
    if (volume?.['emptyDir'] !== undefined) return `--tmpfs=${mountPath}:mode=0777`;
    const configMap = (volume?.['configMap'] as { name: string } | undefined)?.name;
    if (configMap === undefined) throw new Error(`The volume ${name} is of a kind that has no stand-in here.`);
    const mounted = join(folder, configMap);
    await mkdir(mounted, { recursive: true });
    const files = Object.entries(objectOf(objects, 'ConfigMap', configMap).data ?? {});
    await Promise.all(files.map(([file, text]) => writeFile(join(mounted, file), text)));
    return `--volume=${mounted}:${mountPath}:ro`;
  });
  return Promise.all(mounts);
}

function selects(selector: unknown, { metadata }: Pod): boolean {
  const wanted = Object.entries((selector ?? {}) as Record<string, string>);
  return wanted.length > 0 && wanted.every(([key, value]) => metadata.labels?.[key] === value);
}
