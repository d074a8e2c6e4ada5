export { createBullmqSchedule } from './bullmq-schedule.ts';
export { refresherProcessSettings, tokenRefresherSettings, type TokenRefresherSettings } from './config.ts';
export { createIntervalSchedule } from './interval-schedule.ts';
export { createLocalMintBudget, type MintBudget, type MintBooking } from './mint-budget.ts';
export { createRedisMintBudget } from './redis-mint-budget.ts';
export { createRedisTickNotes } from './redis-tick-notes.ts';
export { createLocalTickNotes, type TickNotes } from './tick-notes.ts';
export type { RefillSchedule, TickResult } from './refill-schedule.ts';
export { createTokenRefresher, type TokenRefresher, type TokenRefresherOptions } from './token-refresher.ts';
