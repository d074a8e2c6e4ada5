import type { Settings } from './parse-settings.ts';
import { setting } from './setting.ts';

/** The settings of every process, whatever it serves. */
export const runtimeSettings = {
  ZAI_LOG_LEVEL: setting.choice({
    values: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    default: 'info',
    alias: (word) => (word === 'warning' ? 'warn' : word === 'critical' ? 'fatal' : undefined),
    description: 'Least level that is logged: `trace`, `debug`, `info`, `warn`, `error`, `fatal` or `silent`.',
  }),
  ZAI_DEBUG_MODE: setting.boolean({
    default: false,
    description: 'Log at level `debug`. Prompts and answers are not logged even then.',
  }),
  ZAI_LOG_FORMAT: setting.choice({
    values: ['auto', 'json', 'text'],
    default: 'auto',
    // A Python logging format, which is what stands here elsewhere: its owner wants lines for people.
    alias: (word) => (word.includes('%(') ? 'text' : undefined),
    description: '`json` (one object per line), `text` (for people), or `auto`: text on a terminal, else json.',
  }),
  ZAI_ADMIN_HOST: setting.optionalText({
    description:
      'Address of the admin port; unset: every address, or loopback where `standalone` listens on loopback only.',
  }),
  ZAI_ADMIN_PORT: setting.integer({
    default: 9464,
    max: 65_535,
    description: 'Admin port: `/livez`, `/readyz`, `/startupz`, `/metrics`. 0 takes any free port.',
  }),
  ZAI_ENABLE_PERFORMANCE_MONITORING: setting.boolean({ default: true, description: 'Whether `/metrics` is served.' }),
  ZAI_SHUTDOWN_TIMEOUT: setting.seconds({
    default: 600,
    description: 'Seconds that running streams get to finish after SIGTERM, before they are cut.',
  }),
  ZAI_SHUTDOWN_DRAIN_DELAY: setting.seconds({
    default: 0,
    description: 'Seconds of normal service after readiness went false, so that load balancers notice first.',
  }),
};

/** The parsed `runtimeSettings`. */
export type RuntimeSettings = Settings<typeof runtimeSettings>;
