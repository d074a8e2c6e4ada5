/** One translator. */
export interface TranslatorAddress {
  readonly origin: string;
  /** What stands before each path; without a trailing slash. */
  readonly base: string;
}

/** The translators behind a gateway, which take turns. */
export interface TranslatorAddresses {
  /** All of them in the order in which a request is to try them: the next one's turn first, those that could not be reached lately last. */
  inOrder(): readonly TranslatorAddress[];
  /** No connection came about: for a while the others are preferred. */
  unreachable(address: TranslatorAddress): void;
}

/** A process is back within seconds, and a try costs nothing where the connection is refused. */
const REST_MS = 2_000;

/** `urls`: at least one. `now` counts milliseconds from anywhere. */
export function createTranslatorAddresses(urls: readonly string[], now: () => number): TranslatorAddresses {
  const addresses = urls.map((url): TranslatorAddress => {
    const { origin, pathname } = new URL(url);
    return { origin, base: pathname.replace(/\/$/, '') };
  });
  const restsUntilMs = new Map<TranslatorAddress, number>();
  let turn = 0;

  return {
    inOrder() {
      const nowMs = now();
      const first = turn++ % addresses.length;
      const inTurn = [...addresses.slice(first), ...addresses.slice(0, first)];
      const isResting = (address: TranslatorAddress): boolean => (restsUntilMs.get(address) ?? -Infinity) > nowMs;
      return [...inTurn.filter((address) => !isResting(address)), ...inTurn.filter(isResting)];
    },
    unreachable: (address) => void restsUntilMs.set(address, now() + REST_MS),
  };
}
