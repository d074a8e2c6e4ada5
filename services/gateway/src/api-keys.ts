import { ConfigError, keyNamePattern, Secret } from '@zai2api/runtime';

/** A key that clients present. */
export interface ApiKey {
  readonly key: Secret;
  /** What settings call it; several keys may share one. */
  readonly name?: string;
}

/**
 * Reads `ZAI_API_KEY`: keys, comma separated, each of them with a name and a space before it or not. No key has a space in it, so nothing that
 * was a key before names were thought of is read differently. Throws a ConfigError for items of another form and for keys that are not
 * printable ASCII; it shows neither keys nor names.
 */
export function readApiKeys(setting: Secret | undefined): ApiKey[] {
  const items = (setting?.reveal() ?? '').split(',').map((item) => item.trim());
  const faults: string[] = [];
  const keys = items.flatMap((item, index): ApiKey[] => {
    if (/[^\x20-\x7e\s]/.test(item)) {
      faults.push(
        `ZAI_API_KEY: item ${index + 1} has characters that cannot come in a header: keys are printable ASCII`,
      );
      return [];
    }
    const words = item.split(/\s+/);
    const [first = '', key] = words;
    if (first === '') return [];
    if (key === undefined) return [{ key: new Secret(first) }];
    const name = first.toLowerCase();
    if (words.length === 2 && keyNamePattern.test(name)) return [{ name, key: new Secret(key) }];
    faults.push(
      `ZAI_API_KEY: item ${index + 1} is neither a key nor a name and a key with a space in between; names have at most 32 letters, digits and ".", "_", "-"`,
    );
    return [];
  });
  if (faults.length > 0) throw new ConfigError(faults);
  return keys;
}
