/** What stands between a process and its work, by name. Empty: ready. */
export type Missing = Readonly<Record<string, string>>;

/** The state behind the probes. */
export interface Readiness {
  addCheck(name: string, check: () => true | string): void;
  addDetail(name: string, detail: () => string): void;
  /** The start is complete. */
  started(): void;
  /** The stop has begun; never ready again. */
  stopping(): void;
  isStarted(): boolean;
  missing(): Missing;
  /** What else there is to say, by name; readiness does not depend on it. */
  details(): Readonly<Record<string, string>>;
}

/** The readiness of one process: not ready before its start is over and from the beginning of its stop on. */
export function createReadiness(): Readiness {
  const checks = new Map<string, () => true | string>();
  const details = new Map<string, () => string>();
  let phase: 'starting' | 'running' | 'stopping' = 'starting';
  let isStarted = false;
  return {
    addCheck(name, check) {
      checks.set(name, check);
    },
    addDetail(name, detail) {
      details.set(name, detail);
    },
    started() {
      isStarted = true;
      if (phase === 'starting') phase = 'running';
    },
    stopping() {
      phase = 'stopping';
    },
    isStarted: () => isStarted,
    missing() {
      const missing: Record<string, string> = {};
      if (phase !== 'running') missing['process'] = phase;
      for (const [name, check] of checks) {
        const result = runCheck(check);
        if (result !== true) missing[name] = result;
      }
      return missing;
    },
    details: () => Object.fromEntries([...details].map(([name, detail]) => [name, String(runCheck(detail))])),
  };
}

function runCheck(check: () => true | string): true | string {
  try {
    return check();
  } catch {
    return 'the check failed';
  }
}
