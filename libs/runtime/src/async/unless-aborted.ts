/** Waits for work that goes on by itself; the wait, not the work, ends with the signal. Rejects with the signal's reason then. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const leave = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', leave, { once: true });
  try {
    if (signal.aborted) leave();
    return await Promise.race([promise, work]);
  } finally {
    signal.removeEventListener('abort', leave);
  }
}
