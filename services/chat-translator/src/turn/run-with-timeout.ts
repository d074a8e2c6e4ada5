import { createContext, Script } from 'node:vm';

/** Runs synchronous work; throws the Error of `node:vm` with the code `ERR_SCRIPT_EXECUTION_TIMEOUT` when it takes too long. */
export type RunWithTimeout = <T>(work: () => T, timeoutMs: number) => T;

/**
 * For work that a client's words may make endless, such as a regular expression of its own. The clock of `node:vm` is the only
 * one that stops synchronous code; it does so within expressions too.
 */
export function createVmTimeout(): RunWithTimeout {
  const context = createContext({});
  const script = new Script('run()');
  return <T>(work: () => T, timeoutMs: number): T => {
    context['run'] = work;
    try {
      return script.runInContext(context, { timeout: Math.max(1, Math.ceil(timeoutMs)) }) as T;
    } finally {
      delete context['run'];
    }
  };
}
