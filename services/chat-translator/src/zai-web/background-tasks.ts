/** Work that goes on behind a finished answer, such as deleting its chat: never awaited by a request, always by the stop. */
export interface BackgroundTasks {
  /** Runs the task; a failure goes to `onFailure`. The task must have its own deadline. */
  run(task: () => Promise<unknown>): void;
  /** Resolves when nothing runs any more, or at the deadline. */
  stop(deadline: AbortSignal): Promise<void>;
}

/** Keeps track of tasks until they end. */
export function createBackgroundTasks(onFailure: (reason: unknown) => void): BackgroundTasks {
  const running = new Set<Promise<void>>();
  return {
    run(task) {
      const run = task()
        .then(() => undefined, onFailure)
        .finally(() => running.delete(run));
      running.add(run);
    },
    async stop(deadline) {
      if (deadline.aborted) return;
      const { promise, resolve } = Promise.withResolvers<undefined>();
      deadline.addEventListener('abort', () => resolve(undefined), { once: true });
      // The last turns may still begin some while it waits.
      const idle = async (): Promise<void> => {
        while (running.size > 0) await Promise.all(running);
      };
      await Promise.race([idle(), promise]);
    },
  };
}
