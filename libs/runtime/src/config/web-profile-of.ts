import { randomUUID } from 'node:crypto';
import { ConfigError } from './config-error.ts';
import type { WebUpstreamSettings } from './web-upstream-settings.ts';

/** The web contract's values in the form that the codec takes (`WebProfile` of the dialects). Once per process: the device id may be random. Throws a ConfigError for an unknown time zone. */
export function webProfileOf(settings: WebUpstreamSettings): {
  readonly base: string;
  readonly signingSecret: string;
  readonly userAgent: string;
  readonly language: string;
  readonly timeZone: string;
  readonly region: string;
  readonly deviceId: string;
} {
  if (!isTimeZone(settings.ZAI_TIMEZONE)) {
    throw new ConfigError([
      `ZAI_TIMEZONE: expected an IANA time zone such as Europe/Berlin, got "${settings.ZAI_TIMEZONE}"`,
    ]);
  }
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

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
