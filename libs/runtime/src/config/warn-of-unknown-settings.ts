import type { Logger } from '../create-logger.ts';
import { findUnknownSettings } from './find-unknown-settings.ts';
import { settingNames } from './setting-names.ts';

/** Warns of each `ZAI_` variable that no service reads. One that only another service reads is no mistake: an environment may be shared. */
export function warnOfUnknownSettings(logger: Pick<Logger, 'warn'>, env: NodeJS.ProcessEnv = process.env): void {
  for (const { name, isKnownElsewhere } of findUnknownSettings(settingNames, env)) {
    logger.warn({ setting: name }, isKnownElsewhere ? 'this setting has no effect' : 'no setting has this name');
  }
}
