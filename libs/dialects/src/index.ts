export type { CodecContext } from './codec-context.ts';
export type { WebProfile } from './upstream/zai-web/web-profile.ts';
