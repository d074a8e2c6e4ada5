import { inspect } from 'node:util';

const REDACTED = '[redacted]';

/** A value that prints as `[redacted]` wherever it is logged, joined into a text, inspected or made JSON; only `reveal()` gives it out. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself, for the one place that sends or compares it. */
  reveal(): string {
    return this.#value;
  }

  toString(): '[redacted]' {
    return REDACTED;
  }

  toJSON(): '[redacted]' {
    return REDACTED;
  }

  [inspect.custom](): '[redacted]' {
    return REDACTED;
  }
}
