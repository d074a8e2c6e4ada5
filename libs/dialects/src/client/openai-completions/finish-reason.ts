import type { FinishReason } from '@zai2api/turn';

/** As clients of this API know them: they have no word for a call. */
export const finishReasons = {
  stop: 'stop',
  length: 'length',
  'tool-calls': 'stop',
  'content-filter': 'content_filter',
} as const satisfies Record<FinishReason, 'stop' | 'length' | 'content_filter'>;
