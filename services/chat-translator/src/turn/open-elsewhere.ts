import { TurnError } from '@zai2api/turn';
import { failureScope, mostHopeful } from '../upstreams/choose-driver.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import { openTurn, type OpenTurn, type OpenTurnOptions } from './open-turn.ts';
import type { PreparedTurn, TurnRoute } from './prepare-turn.ts';
import { createRetryPlan } from './retry-plan.ts';
import { createTurnDeadline } from './try-deadlines.ts';

/** All that the upstreams of a turn have in common. */
export interface OpenElsewhereOptions extends Pick<
  OpenTurnOptions,
  'credentialWaitMs' | 'leaseMs' | 'retryBudgetMs' | 'logger' | 'metrics'
> {
  /** In the order in which they are asked. */
  readonly upstreams: readonly Upstream[];
}

/** A turn whose answer has begun, at one of its routes. */
export interface OpenedElsewhere extends OpenTurn {
  /** A route before it failed; one that refuses what is asked for is not counted. */
  readonly isFallback: boolean;
}

/** A route with its upstream. */
interface Candidate {
  readonly index: number;
  readonly route: TurnRoute;
  readonly upstream: Upstream;
}

/** While there is another upstream, nobody waits long for a credential of this one. */
const WAIT_BESIDE_OTHERS_MS = 2_000;

/**
 * Opens a turn at the first of its routes that begins to answer. Where one fails before its first content, how far its failure reaches decides
 * what else is tried: another upstream, another model, or nothing. All tries of all routes together have one bound of number and time.
 * Throws the failure that tells the client most; its message names those of the other upstreams, too.
 */
export async function openElsewhere(
  turn: PreparedTurn,
  caller: AbortSignal,
  options: OpenElsewhereOptions,
): Promise<OpenedElsewhere> {
  const { logger, metrics, retryBudgetMs } = options;
  const deadline = createTurnDeadline(turn.timeouts.total, caller);
  const plan = createRetryPlan({ budgetMs: retryBudgetMs, now: () => performance.now(), random: Math.random });
  const failures: { readonly upstream: string; readonly error: TurnError }[] = [];
  const abandoned = new Set<string>();
  let isFallback = false;

  /** The time of all tries together is kept here. */
  const turnFor = ({ route }: Candidate): PreparedTurn => ({
    ...turn,
    ...route,
    timeouts: { ...route.timeouts, total: { ms: 0, variable: '' } },
  });

  try {
    for (let candidate = next(0); candidate; candidate = next(candidate.index + 1)) {
      const { upstream } = candidate;
      const refused = upstream.driver.refuses?.(turnFor(candidate));
      if (refused) {
        // Another upstream may take what this one cannot; when there is none, this is what the client hears.
        failures.push({ upstream: upstream.name, error: refused });
        continue;
      }
      try {
        return { ...(await open(candidate)), isFallback };
      } catch (reason) {
        isFallback = true;
        const error = TurnError.from(reason);
        failures.push({ upstream: upstream.name, error });
        const scope = deadline.signal.aborted ? 'none' : failureScope(error);
        if (scope === 'none') throw error;
        if (scope === 'upstream' || !upstream.breaker.isPassable()) abandoned.add(upstream.name);
        const further = next(candidate.index + 1);
        if (!further || !plan.turnElsewhere()) break;
        tell(upstream, further, error);
      }
    }
    throw explain(failures);
  } catch (reason) {
    deadline.close();
    throw reason;
  }

  /** The first route from there on whose upstream is not given up. */
  function next(from: number): Candidate | undefined {
    for (const [offset, route] of turn.routes.slice(from).entries()) {
      const upstream = options.upstreams.find(({ name }) => name === route.upstream);
      if (upstream && !abandoned.has(upstream.name)) return { index: from + offset, route, upstream };
    }
    return undefined;
  }

  function tell(from: Upstream, { upstream: to, route }: Candidate, { code, details: { reason } }: TurnError): void {
    metrics.fallbacks.inc({ from: from.name, to: to.name, outcome: reason ?? code });
    logger.info({ from: from.name, to: to.name, model: route.model.id, code, reason }, 'trying elsewhere');
  }

  async function open(candidate: Candidate): Promise<OpenTurn> {
    const { upstream, index } = candidate;
    const others = turn.routes.slice(index + 1).filter((other) => other.upstream !== upstream.name);
    const isLast = others.every((other) => abandoned.has(other.upstream));
    const { credentialWaitMs } = options;
    const opened = await upstream.breaker.run(() =>
      openTurn(turnFor(candidate), deadline.signal, {
        ...options,
        ...upstream,
        // A model at its limit is not waited for while another one may do.
        ...(next(index + 1) ? { modelWaitMs: 0 } : {}),
        credentialWaitMs: isLast ? credentialWaitMs : Math.min(credentialWaitMs, WAIT_BESIDE_OTHERS_MS),
        plan,
      }),
    );
    return {
      ...opened,
      release(error) {
        deadline.close();
        opened.release(error);
      },
    };
  }
}

/** The failure to tell, with the names of the others in its message. */
function explain(failures: readonly { readonly upstream: string; readonly error: TurnError }[]): TurnError {
  const [first, ...others] = failures.map(({ error }) => error);
  if (!first) return new TurnError('internal', 'No upstream has this model.', { layer: 'internal' });
  const told = mostHopeful([first, ...others]);
  const rest = failures.filter(({ error }) => error !== told);
  if (rest.length === 0) return told;
  const names = rest.map(({ upstream, error }) => `${upstream}: ${error.details.reason ?? error.code}`);
  return new TurnError(told.code, `${told.message} Other upstreams failed, too (${names.join(', ')}).`, told.details);
}
