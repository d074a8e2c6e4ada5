/** Text on its way from whoever makes it to one reader, who may be slower, or leave. */
export interface TextQueue {
  push(text: string): void;
  /** Resolves when the reader has taken all that was pushed, or has left. */
  taken(): Promise<void>;
  /** There will be no more. */
  end(): void;
  /** Nobody reads any more: what comes is dropped. */
  leave(): void;
  /** What was pushed, in pieces as large as there is; to be read once. */
  read(): AsyncIterable<string>;
}

/** A queue without a bound of its own: whoever pushes what is not kept and bounded elsewhere waits until it is taken. */
export function createTextQueue(): TextQueue {
  let pending = '';
  let state: 'open' | 'ended' | 'left' = 'open';
  let wake: (() => void) | undefined;
  let onTaken: (() => void) | undefined;

  async function* read(): AsyncGenerator<string> {
    for (;;) {
      if (pending !== '') {
        const text = pending;
        pending = '';
        onTaken?.();
        yield text;
      } else if (state === 'open') {
        await new Promise<void>((resolve) => (wake = resolve));
      } else {
        return;
      }
    }
  }

  return {
    push(text) {
      if (state !== 'open') return;
      pending += text;
      wake?.();
    },
    async taken() {
      if (pending === '' || state !== 'open') return;
      await new Promise<void>((resolve) => (onTaken = resolve));
    },
    end() {
      if (state === 'open') state = 'ended';
      wake?.();
    },
    leave() {
      state = 'left';
      pending = '';
      wake?.();
      onTaken?.();
    },
    read,
  };
}
