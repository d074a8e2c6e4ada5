import { readCpuProfile, type Place, type SampledTime } from './cpu-profile.ts';
import { formatNumber, printTable } from './print-table.ts';

const MAX_FILES = 25;
const MAX_FUNCTIONS = 40;

/**
 * Prints where the CPU time of a profile went between two moments: by package, by file, by function (their own time) and by own function
 * with all that it calls; each also as nanoseconds per `unit`, of which there were `count`. What runs behind an `await` counts for the
 * function that goes on there, not for the one that waits.
 */
export function printProfile(
  file: string,
  options: { readonly fromUs: number; readonly toUs: number; readonly unit: string; readonly count: number },
): void {
  const { unit, count } = options;
  const { busy, idleUs } = readCpuProfile(file, options);
  const busyUs = busy.reduce((sum, { us }) => sum + us, 0);
  const idleShare = ((idleUs / (idleUs + busyUs)) * 100).toFixed(0);
  console.log(
    `${formatNumber(busyUs / 1000)} ms busy, idle ${idleShare} % of the time, ${formatNumber(count)} ${unit}s`,
  );
  const print = (title: string, keysOf: (time: SampledTime) => string[], shown: number): void => {
    const rows = [...sumBy(busy, keysOf)]
      .sort(([, one], [, other]) => other - one)
      .slice(0, shown)
      .map(([key, us]) => [
        key,
        formatNumber(us / 1000),
        `${((us / busyUs) * 100).toFixed(1)}%`,
        formatNumber((us * 1000) / count),
      ]);
    console.log();
    printTable([title, 'ms', 'share', `ns per ${unit}`], rows);
  };
  const top = ({ stack }: SampledTime, nameOf: (place: Place) => string): string[] => stack.slice(0, 1).map(nameOf);
  print('package, own time', (time) => top(time, (place) => place.package), Number.POSITIVE_INFINITY);
  print('file, own time', (time) => top(time, (place) => place.file.replace(/:\d+$/, '')), MAX_FILES);
  print('function, own time', (time) => top(time, nameOfPlace), MAX_FUNCTIONS);
  print('function of ours, with what it calls', (time) => time.stack.filter(isOurs).map(nameOfPlace), MAX_FUNCTIONS);
}

const nameOfPlace = (place: Place): string => `${place.function}  ${place.file}`;
const isOurs = (place: Place): boolean => place.package.startsWith('@zai2api/');

function sumBy(times: readonly SampledTime[], keysOf: (time: SampledTime) => string[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const time of times) {
    // Once for each key, however often a recursion has it on the stack.
    for (const key of new Set(keysOf(time))) sums.set(key, (sums.get(key) ?? 0) + time.us);
  }
  return sums;
}
