import { watch, type FSWatcher } from 'node:fs';
import { dirname } from 'node:path';
import type { Logger } from '@zai2api/runtime';

/** A running watch. */
export interface FileWatch {
  close(): void;
}

/** Editors write in several steps, and a mounted secret is swapped in several: one look after the last of them. */
const SETTLE_MS = 100;
/** Where the system tells of nothing (network file systems, too many watches), the file is looked at this often. */
const DEFAULT_CHECK_INTERVAL_MS = 30_000;

/**
 * Calls `look` soon after the file may have changed, and regularly in any case. What is watched is the directory: Kubernetes updates a
 * mounted secret by renaming the link `..data` beside it, and editors by renaming a new file into place. Does not keep the process alive.
 */
export function watchFile(
  path: string,
  look: () => void,
  options: { logger: Logger; checkIntervalMs?: number },
): FileWatch {
  const { logger, checkIntervalMs = DEFAULT_CHECK_INTERVAL_MS } = options;
  let settling: NodeJS.Timeout | undefined;
  let watcher: FSWatcher | undefined;

  function onEvent(): void {
    clearTimeout(settling);
    settling = setTimeout(look, SETTLE_MS);
    settling.unref();
  }

  function giveUp(error: unknown): void {
    watcher?.close();
    watcher = undefined;
    logger.debug(
      { err: error, checkIntervalMs },
      'a directory cannot be watched; its file is only looked at regularly',
    );
  }

  try {
    watcher = watch(dirname(path), { persistent: false }, onEvent);
    watcher.on('error', giveUp);
  } catch (error) {
    giveUp(error);
  }
  const timer = setInterval(look, checkIntervalMs);
  timer.unref();

  return {
    close() {
      watcher?.close();
      clearTimeout(settling);
      clearInterval(timer);
    },
  };
}
