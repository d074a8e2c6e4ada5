import { randomUUID } from 'node:crypto';
import type { WebUpstreamSettings } from './web-upstream-settings.ts';

/** The web contract's values in the form that the codec takes (`WebProfile` of the dialects). Once per process: the device id may be random. */
export function webProfileOf(settings: WebUpstreamSettings): {
  readonly base: string;
  readonly signingSecret: string;
  readonly userAgent: string;
  readonly language: string;
  readonly timeZone: string;
  readonly region: string;
  readonly deviceId: string;
} {
  return {
    base: settings.ZAI_API_BASE,
    signingSecret: settings.ZAI_SIGNING_SECRET.reveal(),
    userAgent: settings.ZAI_USER_AGENT,
    language: settings.ZAI_LANGUAGE,
    timeZone: settings.ZAI_TIMEZONE,
    region: settings.ZAI_REGION,
    deviceId: settings.ZAI_DEVICE_ID ?? randomUUID(),
  };
}
