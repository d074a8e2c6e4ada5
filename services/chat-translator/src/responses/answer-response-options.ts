import type { AnswerTurnOptions } from '../routes/answer-turn.ts';
import type { KeptRuns } from './kept-runs.ts';
import type { ResponseStore } from './response-store.ts';

/** What `POST /v1/responses` is answered with: as any turn, and what is kept. */
export interface AnswerResponseOptions extends AnswerTurnOptions {
  readonly store: ResponseStore;
  readonly runs: KeptRuns;
}
