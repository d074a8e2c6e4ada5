import { readFileSync } from 'node:fs';
import { formatNumber, printTable } from './print-table.ts';

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

interface Place {
  readonly function: string;
  readonly file: string;
  readonly package: string;
}

const IDLE = '(idle)';
const metaNames = new Set(['(root)', '(program)', '(garbage collector)', IDLE]);
const SHOWN_FUNCTIONS = 40;
const SHOWN_FILES = 20;

/**
 * Prints where the CPU time of a profile went between two moments: self time by package, by file and by function, each also as
 * nanoseconds per `unit`, of which there were `count`.
 */
export function printProfile(
  file: string,
  options: { readonly fromUs: number; readonly toUs: number; readonly unit: string; readonly count: number },
): void {
  const { unit, count } = options;
  const selfUs = sumSelfTimes(JSON.parse(readFileSync(file, 'utf8')) as CpuProfile, options);
  const idleUs = [...selfUs].filter(([place]) => place.function === IDLE).reduce((sum, [, us]) => sum + us, 0);
  const busy = [...selfUs].filter(([place]) => place.function !== IDLE);
  const busyUs = busy.reduce((sum, [, us]) => sum + us, 0);
  const idleShare = ((idleUs / (idleUs + busyUs)) * 100).toFixed(0);
  console.log(
    `${formatNumber(busyUs / 1000)} ms busy, idle ${idleShare} % of the time, ${formatNumber(count)} ${unit}s`,
  );

  const print = (title: string, keyOf: (place: Place) => string, shown: number): void => {
    const sums = new Map<string, number>();
    for (const [place, us] of busy) sums.set(keyOf(place), (sums.get(keyOf(place)) ?? 0) + us);
    const rows = [...sums]
      .sort(([, one], [, other]) => other - one)
      .slice(0, shown)
      .map(([key, us]) => [
        key,
        formatNumber(us / 1000),
        `${((us / busyUs) * 100).toFixed(1)}%`,
        formatNumber((us * 1000) / count),
      ]);
    console.log();
    printTable([title, 'self ms', 'share', `ns per ${unit}`], rows);
  };
  print('package', (place) => place.package, Number.POSITIVE_INFINITY);
  print('file', (place) => place.file.replace(/:\d+$/, ''), SHOWN_FILES);
  print('function', (place) => `${place.function}  ${place.file}`, SHOWN_FUNCTIONS);
}

/** Self times in microseconds. Nodes of the same place are separate keys. */
function sumSelfTimes(profile: CpuProfile, { fromUs, toUs }: { fromUs: number; toUs: number }): Map<Place, number> {
  const callers = new Map(
    profile.nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node] as const)),
  );
  const places = new Map(profile.nodes.map((node) => [node.id, placeOf(node, callers)]));
  const sums = new Map<Place, number>();
  let atUs = profile.startTime;
  for (const [index, id] of profile.samples.entries()) {
    atUs += profile.timeDeltas[index] ?? 0;
    // A delta stands before its sample: the time from there to the next sample is this one's.
    const us = profile.timeDeltas[index + 1] ?? 0;
    const place = places.get(id);
    if (place && atUs >= fromUs && atUs <= toUs) sums.set(place, (sums.get(place) ?? 0) + us);
  }
  return sums;
}

/** Native functions have no file: they are told apart by who calls them. */
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
