/** Like `Promise.all`, but nothing still runs when it throws: what a tick starts does not outlive it. */
export async function allSettledOrThrow<const T extends readonly unknown[]>(
  work: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(work);
  return Promise.all(work);
}
