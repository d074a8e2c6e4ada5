import { setTimeout as wait } from 'node:timers/promises';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { createAdminHandler } from './admin-handler.ts';
import type { RuntimeSettings } from './config/runtime-settings.ts';
import { warnOfUnknownSettings } from './config/warn-of-unknown-settings.ts';
import { createLogger, type Logger } from './create-logger.ts';
import { listen, type RunningServer } from './http/listen.ts';
import { createOrderedStop, type StopPhase } from './ordered-stop.ts';
import { createReadiness } from './readiness.ts';
import { flushTraces } from './telemetry/tracer-provider.ts';
import { warnOfMissingTracing } from './telemetry/warn-of-missing-tracing.ts';

export { Registry } from 'prom-client';

/** What every process has: a logger, metrics, probes and an ordered stop. */
export interface Runtime {
  readonly name: string;
  readonly version: string;
  readonly logger: Logger;
  /** This process part's own metrics, with Node's default ones; served at `/metrics` of the admin port. */
  readonly registry: Registry;
  /** `detail` is called for each `/readyz`, which shows its text and is not decided by it. */
  addReadinessDetail(name: string, detail: () => string): void;
  /** Registers a step of the stop. Phases run in their order, the steps of one phase in parallel; all share one deadline. */
  onStop(phase: StopPhase, name: string, stop: (deadline: AbortSignal) => Promise<void>): void;
  /** Opens the admin port, runs `start`, is ready, and resolves when stopped, by a signal or by `stop`. A failing `start` stops and throws. */
  run(start: () => Promise<void>): Promise<void>;
  /** Readiness goes false, then the drain delay, then the phases, then the admin port closes. Later calls join the first. */
  stop(reason: string): Promise<void>;
  /** Aborts when the stop begins, before the drain delay: new requests are served, but their connections should not stay. */
  readonly draining: AbortSignal;
  /** The bound port; throws before `run` has opened it. */
  readonly adminPort: number;
}

const stopSignals = ['SIGTERM', 'SIGINT'] as const;

/** Creates the runtime of one process. Nothing listens and no signal is caught before `run`. */
export function createRuntime(options: {
  name: string;
  version: string;
  settings: RuntimeSettings;
  logger?: Logger;
  /** Address of the admin port where the settings name none; default: every address. */
  adminHost?: string;
}): Runtime {
  const { name, version, settings } = options;
  const logger = options.logger ?? createLogger({ name, level: logLevel(settings), format: settings.ZAI_LOG_FORMAT });
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const readiness = createReadiness();
  const steps = createOrderedStop(logger);
  const deadline = new AbortController();
  const draining = new AbortController();
  const stopped = Promise.withResolvers<undefined>();
  let admin: RunningServer | undefined;
  let stopping: Promise<void> | undefined;

  async function stopInOrder(reason: string): Promise<void> {
    logger.info({ reason }, 'stopping');
    readiness.stopping();
    draining.abort();
    const timer = setTimeout(() => deadline.abort(), settings.ZAI_SHUTDOWN_TIMEOUT * 1000);
    await wait(settings.ZAI_SHUTDOWN_DRAIN_DELAY * 1000, undefined, { signal: deadline.signal }).catch(() => undefined);
    await steps.run(deadline.signal);
    clearTimeout(timer);
    // Probes and scrapers are cut: nobody waits for them.
    await admin?.stop(AbortSignal.abort());
    for (const signal of stopSignals) process.off(signal, onSignal);
    logger.info('stopped');
    stopped.resolve(undefined);
  }

  function stop(reason: string): Promise<void> {
    stopping ??= stopInOrder(reason);
    return stopping;
  }

  function onSignal(signal: NodeJS.Signals): void {
    if (stopping === undefined) {
      void stop(signal);
      logger.info(
        { deadlineSeconds: settings.ZAI_SHUTDOWN_TIMEOUT },
        'running answers may finish; a second signal cuts them',
      );
    } else {
      logger.warn({ reason: signal }, 'asked again to stop: cutting what still runs');
      deadline.abort();
    }
  }

  return {
    name,
    version,
    logger,
    registry,
    addReadinessDetail: (detailName, detail) => readiness.addDetail(detailName, detail),
    onStop: (phase, stepName, stopStep) => steps.add(phase, stepName, stopStep),
    stop,
    draining: draining.signal,
    async run(start) {
      admin = await listen(
        createAdminHandler({ readiness, registry, servesMetrics: settings.ZAI_ENABLE_PERFORMANCE_MONITORING }),
        {
          host: settings.ZAI_ADMIN_HOST ?? options.adminHost ?? '0.0.0.0',
          port: settings.ZAI_ADMIN_PORT,
        },
      );
      for (const signal of stopSignals) process.on(signal, onSignal);
      steps.add('telemetry', 'traces', flushTraces);
      logger.info({ version, adminHost: admin.host, adminPort: admin.port }, 'starting');
      warnOfMissingTracing(logger);
      warnOfUnknownSettings(logger);
      try {
        await Promise.race([start(), stopped.promise]);
      } catch (error) {
        await stop('the start failed');
        throw error;
      }
      readiness.started();
      if (stopping === undefined) logger.info('started');
      await stopped.promise;
    },
    get adminPort() {
      if (admin === undefined) throw new Error('The admin port is not open before run().');
      return admin.port;
    },
  };
}

function logLevel({
  ZAI_LOG_LEVEL: level,
  ZAI_DEBUG_MODE: isDebugging,
}: RuntimeSettings): RuntimeSettings['ZAI_LOG_LEVEL'] {
  return isDebugging && level !== 'trace' ? 'debug' : level;
}
