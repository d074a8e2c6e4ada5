import { closeRedis, openRedis, type Logger, type RedisSettings } from '@zai2api/runtime';
import { createBullmqSchedule } from './bullmq-schedule.ts';
import type { TokenRefresherSettings } from './config.ts';
import type { MintBudget } from './mint-budget.ts';
import { createRedisMintBudget } from './redis-mint-budget.ts';
import { createRedisTickStateStore } from './redis-tick-state-store.ts';
import type { RefillSchedule } from './refill-schedule.ts';
import type { TickStateStore } from './tick-state-store.ts';

/** What the refreshers on one Redis have in common, so that they are one: when to look, how much was minted, what is known. */
export interface SharedRefill {
  readonly schedule: RefillSchedule;
  readonly budget: MintBudget;
  readonly stateStore: TickStateStore;
  /** Ends its connections, for after the schedule's stop; they are cut when `deadline` aborts. Never rejects. */
  close(deadline: AbortSignal): Promise<void>;
}

/** Opens connections of its own; Redis need not be there yet. */
export function openSharedRefill(
  settings: RedisSettings & Pick<TokenRefresherSettings, 'ZAI_REFRESH_INTERVAL'>,
  logger: Logger,
): SharedRefill {
  const prefix = settings.REDIS_KEY_PREFIX;
  const commands = openRedis(settings, { logger, role: 'commands' });
  const blocking = openRedis(settings, { logger, role: 'blocking' });
  const intervalMs = settings.ZAI_REFRESH_INTERVAL * 1000;
  return {
    schedule: createBullmqSchedule({ commands, blocking, prefix, intervalMs, logger }),
    budget: createRedisMintBudget({ commands, prefix }),
    stateStore: createRedisTickStateStore({ commands, prefix }),
    async close(deadline) {
      await Promise.all([closeRedis(commands, deadline), closeRedis(blocking, deadline)]);
    },
  };
}
