export { tokenRefresherSettings, type TokenRefresherSettings } from './config.ts';
export { createIntervalSchedule } from './interval-schedule.ts';
export type { RefillSchedule, TickResult } from './refill-schedule.ts';
export { createTokenRefresher, type TokenRefresher, type TokenRefresherOptions } from './token-refresher.ts';
