import type { KubernetesObject } from './kubernetes-objects.ts';

/** A cluster that Helm can install into. `await using` lets go of it. */
export interface Cluster extends AsyncDisposable {
  /** Path of the file that Helm finds it by. */
  readonly kubeconfig: string;
  /** What is in the namespace `zai2api`. */
  objects(): Promise<KubernetesObject[]>;
}
