import type { PlatformProfile } from './platform-profile.ts';

/** The headers of every call to the official API (protocol 10.1). */
export function encodeCommonHeaders({ language }: PlatformProfile, key: string): Record<string, string> {
  return {
    Accept: 'application/json',
    'Accept-Language': `${language},${language.split('-')[0] ?? language}`,
    Authorization: `Bearer ${key}`,
  };
}
