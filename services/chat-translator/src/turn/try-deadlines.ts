import { TurnError } from '@zai2api/turn';
import type { TimeLimit, TurnTimeouts } from './turn-timeouts.ts';

/** The clocks of one try. Whoever makes them closes them. */
export interface TryDeadlines {
  /** Aborts with the caller's reason, or with the `upstream_timeout` of the limit that was passed first. */
  readonly signal: AbortSignal;
  /** From here on the upstream is waited for. Only then is its silence counted, not while the client takes its time to read. */
  listen(): void;
  /** Something arrived. Once per network chunk. */
  hear(): void;
  /** The first content is there. */
  begin(): void;
  close(): void;
}

/** Clocks that run from now on: one timer for silence, which is pushed on and never made anew, and one for the first content if limited. */
export function createTryDeadlines(
  { idle, firstToken }: Pick<TurnTimeouts, 'idle' | 'firstToken'>,
  caller: AbortSignal,
): TryDeadlines {
  const controller = new AbortController();
  let isListening = false;

  const leave = (): void => controller.abort(caller.reason);
  const silence = startTimer(idle, () => {
    if (isListening) controller.abort(timeoutError('idle', idle, 'The upstream was silent for'));
  });
  const beginning = startTimer(firstToken, () =>
    controller.abort(timeoutError('first token', firstToken, 'The upstream sent no content within')),
  );
  if (caller.aborted) leave();
  else caller.addEventListener('abort', leave, { once: true });

  return {
    signal: controller.signal,
    listen() {
      isListening = true;
      silence?.refresh();
    },
    hear() {
      isListening = false;
    },
    begin: () => clearTimeout(beginning),
    close() {
      caller.removeEventListener('abort', leave);
      clearTimeout(silence);
      clearTimeout(beginning);
    },
  };
}

/** One clock over all tries of a turn; unlimited, it is the caller's own signal. */
export function createTurnDeadline(total: TimeLimit, caller: AbortSignal): { signal: AbortSignal; close(): void } {
  if (total.ms === 0) return { signal: caller, close: () => undefined };
  const controller = new AbortController();
  const close = (): void => {
    clearTimeout(timer);
    caller.removeEventListener('abort', leave);
  };
  const leave = (): void => {
    close();
    controller.abort(caller.reason);
  };
  const timer = startTimer(total, () => controller.abort(timeoutError('total', total, 'The answer took longer than')));
  if (caller.aborted) leave();
  else caller.addEventListener('abort', leave, { once: true });
  return { signal: controller.signal, close };
}

function startTimer({ ms }: TimeLimit, onTime: () => void): NodeJS.Timeout | undefined {
  return ms === 0 ? undefined : setTimeout(onTime, ms);
}

function timeoutError(phase: string, { ms, variable }: TimeLimit, what: string): TurnError {
  return new TurnError('upstream_timeout', `${what} ${ms / 1000} seconds (${phase} timeout, ${variable}).`, {
    layer: 'upstream',
  });
}
