import { formatNumber, printTable } from '../bench/print-table.ts';
import type { Disturbances, Disturbing } from './disturb.ts';
import type { Outcome } from './offer-load.ts';
import type { LimitWatch } from './watch-limits.ts';
import type { SlotWatch } from './watch-slots.ts';

/** The scene and how long it is disturbed. */
export interface ChaosOptions {
  /** How long the disturbances go on. */
  readonly seconds: number;
  readonly translators: number;
  readonly guests: number;
  readonly leaseSeconds: number;
  readonly seed: number;
}

/** What a run found; `broken` names the invariants that did not hold. */
export interface ChaosReport {
  readonly rows: readonly (readonly [string, string])[];
  readonly broken: readonly string[];
}

interface Findings {
  readonly options: ChaosOptions;
  readonly concurrency: number;
  readonly chaosMs: number;
  readonly minted: number;
  readonly disturbances: Pick<Disturbances, 'counts' | 'done'>;
  readonly limits: LimitWatch['figures'];
  readonly slots: SlotWatch['figures'];
  readonly outcomes: readonly Outcome[];
  /** Of the requests after the last disturbance. */
  readonly last: readonly Outcome[];
  /** From the end of the load until the pool was whole; undefined when it did not become so. */
  readonly wholeAfterMs: number | undefined;
}

/** What a process that woke, or lost Redis, is still busy with. */
const AFTERMATH_MS = 2_000;
const MOST_SHOWN = 5;

/** Holds the findings to the invariants. */
export function judgeRun(findings: Findings): ChaosReport {
  const { options, concurrency, limits, slots, outcomes, last, wholeAfterMs, disturbances } = findings;
  const failed = outcomes.flatMap((outcome) =>
    typeof outcome.result === 'object' ? [{ outcome, failure: outcome.result.failure }] : [],
  );
  const pauses = disturbances.done.filter(({ name }) => name === 'redis paused');
  const causes = failed.map(({ outcome, failure }) => ({ outcome, failure, cause: causeOf(outcome, pauses) }));
  const undisturbed = causes.filter(({ cause }) => cause === undefined);
  const count = (isWanted: (outcome: Outcome) => boolean): string => formatNumber(outcomes.filter(isWanted).length);
  const lastFailed = last.filter(({ result }) => result !== 'complete');
  const broken = [
    ...limits.faults.slice(0, MOST_SHOWN).map((fault) => `above the limit of ${concurrency}: ${fault}`),
    ...slots.faults.slice(0, MOST_SHOWN).map((fault) => `slots: ${fault}`),
    ...undisturbed
      .slice(0, MOST_SHOWN)
      .map(
        ({ outcome, failure }) => `an undisturbed request failed ${lastBefore(outcome, disturbances.done)}: ${failure}`,
      ),
    ...lastFailed
      .slice(0, MOST_SHOWN)
      .map(({ result }) => `a request after the chaos failed: ${JSON.stringify(result)}`),
    ...(wholeAfterMs === undefined ? ['the pool did not become whole again'] : []),
  ];
  return {
    broken,
    rows: [
      [
        'scene',
        `${options.translators} translators, ${options.guests} guests of ${concurrency} turns, leases of ${options.leaseSeconds} s, seed ${options.seed}`,
      ],
      ['disturbed for', `${formatNumber(findings.chaosMs / 1000)} s`],
      ...Object.entries(disturbances.counts).map(([name, times]) => [`  ${name}`, formatNumber(times)] as const),
      ['requests', formatNumber(outcomes.length)],
      ['  complete', count(({ result }) => result === 'complete')],
      ['  left by the client', count(({ result }) => result === 'left')],
      ...groupBy(causes.map(({ cause, failure }) => `  failed, ${cause ?? 'undisturbed'}: ${failure}`)),
      ['turns at the upstream', formatNumber(limits.turns)],
      [`  most at once on a token, leases in force (limit ${concurrency})`, formatNumber(limits.highestInForce)],
      ['  most at once on a token, with turns of frozen processes', formatNumber(limits.highest)],
      ['  turns of frozen processes beside their successors', formatNumber(limits.overlaps)],
      ['  the longest of them after its process woke', `${formatNumber(limits.longestAfterWakingMs)} ms`],
      ['looks at the slots', formatNumber(slots.looks)],
      ['  slots lost or counted wrongly', formatNumber(slots.faults.length)],
      ['tokens minted', formatNumber(findings.minted)],
      ['requests after the chaos', `${last.length - lastFailed.length} of ${last.length} complete`],
      [
        'pool whole again',
        wholeAfterMs === undefined ? 'no' : `${formatNumber(wholeAfterMs)} ms after the last request`,
      ],
    ],
  };
}

/** Prints the table, and what does not hold. */
export function printChaosReport({ rows, broken }: ChaosReport): void {
  printTable(['chaos', ''], rows);
  console.log(
    broken.length === 0 ? '\nEvery invariant held.' : `\nBroken:\n${broken.map((line) => `- ${line}`).join('\n')}`,
  );
}

/** Which disturbance met a request; undefined when none did. */
function causeOf(
  { translator, fromMs, toMs }: Outcome,
  pauses: readonly { readonly fromMs: number; readonly toMs: number }[],
): string | undefined {
  const meets = (span: { readonly fromMs: number; readonly toMs: number }): boolean =>
    span.fromMs <= toMs && fromMs <= span.toMs + AFTERMATH_MS;
  if (translator.killedAtMs !== undefined && translator.killedAtMs <= toMs) return 'its translator killed';
  if (translator.freezes.some(meets)) return 'its translator frozen';
  return pauses.some(meets) ? 'redis paused' : undefined;
}

/** For whoever looks for the reason. */
function lastBefore({ fromMs, toMs }: Outcome, done: readonly Disturbing[]): string {
  const before = done.filter((each) => each.fromMs <= toMs).slice(-2);
  const events = before.map((each) => `${Math.round(toMs - each.toMs)} ms after ${each.name}`);
  return `within ${Math.round(toMs - fromMs)} ms, ${events.join(', ')}`;
}

function groupBy(names: readonly string[]): (readonly [string, string])[] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].sort().map(([name, times]) => [name, formatNumber(times)]);
}
