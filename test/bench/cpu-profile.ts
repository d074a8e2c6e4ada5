import { readFileSync } from 'node:fs';

/** A function, and where it is written. */
export interface Place {
  readonly function: string;
  /** With the line, where there is one. A native function has no file: it is told by the place that calls it. */
  readonly file: string;
  /** A package, `node`, `(native)`, or one of V8's own words such as `(garbage collector)`. */
  readonly package: string;
}

/** CPU time that was spent on top of one stack. */
export interface SampledTime {
  readonly us: number;
  /** The running function first. */
  readonly stack: readonly Place[];
}

/** What V8 writes with `--cpu-prof`. Times are microseconds of the monotonic clock. */
interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  readonly startTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
}

const IDLE = '(idle)';
const ROOT = '(root)';
const metaNames: ReadonlySet<string> = new Set([ROOT, '(program)', '(garbage collector)', IDLE]);

/** The time between two moments (microseconds of the monotonic clock): what was busy, by stack, and what was idle. */
export function readCpuProfile(
  file: string,
  { fromUs, toUs }: { readonly fromUs: number; readonly toUs: number },
): { readonly busy: readonly SampledTime[]; readonly idleUs: number } {
  const profile = JSON.parse(readFileSync(file, 'utf8')) as CpuProfile;
  const usByNode = new Map<number, number>();
  let atUs = profile.startTime;
  for (const [index, id] of profile.samples.entries()) {
    atUs += profile.timeDeltas[index] ?? 0;
    // A delta stands before its sample: the time from there to the next sample is this one's.
    if (atUs >= fromUs && atUs <= toUs)
      usByNode.set(id, (usByNode.get(id) ?? 0) + (profile.timeDeltas[index + 1] ?? 0));
  }
  const stackOf = createStackReader(profile.nodes);
  const all = [...usByNode].map(([id, us]) => ({ us, stack: stackOf(id) }));
  const isIdle = ({ stack }: SampledTime): boolean => stack[0]?.function === IDLE;
  const idleUs = all.filter(isIdle).reduce((sum, { us }) => sum + us, 0);
  return { busy: all.filter((time) => !isIdle(time)), idleUs };
}

function createStackReader(nodes: readonly ProfileNode[]): (id: number) => Place[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const callers = new Map(nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node] as const)));
  return (id) => {
    const stack: Place[] = [];
    for (let node = byId.get(id); node && node.callFrame.functionName !== ROOT; node = callers.get(node.id)) {
      stack.push(placeOf(node, callers));
    }
    return stack;
  };
}

function placeOf(node: ProfileNode, callers: ReadonlyMap<number, ProfileNode>): Place {
  const { functionName, url, lineNumber } = node.callFrame;
  const name = functionName === '' ? '(anonymous)' : functionName;
  if (url !== '') return { function: name, ...locate(url, lineNumber + 1) };
  if (metaNames.has(name)) return { function: name, file: '', package: name };
  let caller = callers.get(node.id);
  while (caller?.callFrame.url === '') caller = callers.get(caller.id);
  const file = caller ? `< ${caller.callFrame.functionName} ${locate(caller.callFrame.url, 0).file}` : '';
  return { function: name, file, package: '(native)' };
}

function locate(url: string, line: number): { file: string; package: string } {
  const where = line === 0 ? '' : `:${line}`;
  const external = url.split('/node_modules/').at(-1);
  if (url.includes('/node_modules/') && external !== undefined) {
    const parts = external.split('/');
    return { file: external + where, package: parts.slice(0, external.startsWith('@') ? 2 : 1).join('/') };
  }
  if (url.startsWith('node:')) return { file: url + where, package: 'node' };
  const [, owner, path] = /\/(?:libs|services)\/([^/]+)\/dist\/(.+)$/.exec(url) ?? [];
  if (owner === undefined || path === undefined) return { file: url + where, package: '(other)' };
  return { file: `${owner}/${path}${where}`, package: `@zai2api/${owner}` };
}
