/** What stands between a process and its work, by name. Empty: ready. */
export type Missing = Readonly<Record<string, string>>;

/** The state behind the probes. */
export interface Readiness {
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
  const details = new Map<string, () => string>();
  let phase: 'starting' | 'running' | 'stopping' = 'starting';
  let isStarted = false;
  return {
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
    missing: () => (phase === 'running' ? {} : { process: phase }),
    details: () => Object.fromEntries([...details].map(([name, detail]) => [name, readDetail(detail)])),
  };
}

function readDetail(detail: () => string): string {
  try {
    return detail();
  } catch {
    return 'unknown: reading it failed';
  }
}
