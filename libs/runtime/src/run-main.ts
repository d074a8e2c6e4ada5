import { ConfigError } from './config/config-error.ts';
import { createLogger } from './create-logger.ts';

/** `EX_CONFIG` of sysexits.h: a restart does not help, the configuration must be changed. */
const EXIT_BAD_CONFIGURATION = 78;

/**
 * Runs a service's main and ends the process with it: 0 after an ordered stop, 78 with the list of faults on stderr for a ConfigError,
 * 1 with a log line for anything else, also for what nobody caught.
 */
export async function runMain(main: () => Promise<void>): Promise<void> {
  process.on('uncaughtException', fail);
  try {
    await main();
  } catch (error) {
    fail(error);
  }
  process.exit(0);
}

function fail(error: unknown): never {
  if (error instanceof ConfigError) {
    process.stderr.write(`${error.message}\n`);
    process.exit(EXIT_BAD_CONFIGURATION);
  }
  createLogger({ name: 'zai2api', level: 'info', format: 'json' }).fatal({ err: error }, 'the process ends');
  process.exit(1);
}
