/** The configuration cannot be used. Holds all faults at once, each beginning with the name of its variable, never with a secret's value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly faults: string[];

  constructor(faults: string[]) {
    super(`The configuration has ${faults.length} ${faults.length === 1 ? 'fault' : 'faults'}:\n${faults.join('\n')}`);
    this.faults = faults;
  }
}
