import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { closeRedis, createLogger, openRedis, type RedisClient } from '@zai2api/runtime';
import { createRedisMintBudget, createRedisTickStateStore } from '@zai2api/token-refresher';
import { describeMintBudget } from '../../services/token-refresher/src/mint-budget.conformance.ts';
import { startRedis, type RedisServer } from '../support/start-redis.ts';

const NOW_MS = 1_760_000_000_000;
const suite = randomUUID();

let redis: RedisServer;
let commands: RedisClient;
beforeAll(async () => {
  redis = await startRedis();
  const logger = createLogger({ name: 'test', level: 'silent', format: 'json' });
  commands = openRedis(redis.settings, { logger, role: 'commands' });
});
afterAll(async () => {
  await closeRedis(commands, AbortSignal.timeout(1_000));
  await redis.close();
});

describeMintBudget('createRedisMintBudget', (share) =>
  createRedisMintBudget({ commands, prefix: `${suite}-${share}` }),
);

describe('createRedisMintBudget', () => {
  const book = (budget: ReturnType<typeof createRedisMintBudget>, count: number): Promise<number> =>
    budget.book({ count, mostPerHour: 5, nowMs: NOW_MS });

  it('counts the mints of all replicas together', async () => {
    const prefix = randomUUID();
    const replicas = Array.from({ length: 4 }, () => createRedisMintBudget({ commands, prefix }));
    const granted = await Promise.all(replicas.map((budget) => book(budget, 2)));
    expect(granted.reduce((sum, count) => sum + count, 0)).toBe(5);
    expect(await createRedisMintBudget({ commands, prefix }).recent(NOW_MS)).toHaveLength(5);
  });

  it('does not forget its own when Redis does, and tells the others', async () => {
    const prefix = randomUUID();
    const budget = createRedisMintBudget({ commands, prefix });
    const other = createRedisMintBudget({ commands, prefix });
    await book(budget, 3);
    await commands.del(`{${prefix}:refresher}:mints`);
    expect(await budget.recent(NOW_MS)).toHaveLength(3);
    expect(await book(budget, 1)).toBe(1);
    expect(await other.recent(NOW_MS)).toHaveLength(4);
    expect(await book(other, 5)).toBe(1);
  });

  it('leaves no key for ever', async () => {
    const prefix = randomUUID();
    await book(createRedisMintBudget({ commands, prefix }), 1);
    expect(await commands.pttl(`{${prefix}:refresher}:mints`)).toBeGreaterThan(3_500_000);
  });
});

describe('createRedisTickStateStore', () => {
  it('reads in one replica what another wrote, for a day', async () => {
    const prefix = randomUUID();
    const stateStore = createRedisTickStateStore({ commands, prefix });
    expect(await stateStore.read('one')).toBeUndefined();
    await stateStore.write('one', '{"a":1}');
    await stateStore.write('one', '{"a":2}');
    expect(await createRedisTickStateStore({ commands, prefix }).read('one')).toBe('{"a":2}');
    expect(await createRedisTickStateStore({ commands, prefix: randomUUID() }).read('one')).toBeUndefined();
    expect(await commands.pttl(`{${prefix}:refresher}:note:one`)).toBeGreaterThan(86_000_000);
  });
});
