import { describe, expect, it } from '@jest/globals';
import { errorCodes, TurnError, type ErrorCode } from '@zai2api/turn';
import fc from 'fast-check';
import {
  evidenceOf,
  EVIDENCE_MS,
  isRefusal,
  judgeTries,
  rememberTry,
  upstreamStates,
  WINDOW,
  type Evidence,
  type JudgedTry,
  type UpstreamState,
} from './judge-tries.ts';

const failure = (code: ErrorCode, reason?: string): Evidence =>
  evidenceOf({
    result: 'failed',
    error: new TurnError(code, 'x', { layer: 'upstream', ...(reason === undefined ? {} : { reason }) }),
  });

describe('evidenceOf', () => {
  it.each<[ErrorCode, string | undefined, Evidence]>([
    ['upstream_challenged', undefined, 'challenged'],
    ['upstream_blocked', undefined, 'blocked'],
    ['upstream_drifted', undefined, 'drifted'],
    ['upstream_drifted', 'frontend_version_outdated', 'drifted'],
    ['upstream_drifted', 'signature_rejected', 'drifted'],
    ['upstream_busy', 'model_busy', 'passing'],
    ['upstream_busy', 'upstream_concurrency', 'passing'],
    ['upstream_busy', 'upstream_rate_limited', 'passing'],
    ['upstream_failed', undefined, 'passing'],
    ['upstream_failed', 'empty_answer', 'passing'],
    ['upstream_failed', 'upstream_unauthorized', 'passing'],
    ['upstream_failed', 'tool_choice_not_satisfied', 'good'],
    ['upstream_failed', 'invalid_tool_call', 'good'],
    ['upstream_failed', 'tool_call_loop', 'good'],
    ['upstream_unreachable', undefined, 'passing'],
    ['upstream_timeout', undefined, 'passing'],
    ['upstream_forbidden', 'upstream_forbidden', 'passing'],
    ['upstream_forbidden', undefined, 'nothing'],
    ['upstream_forbidden', 'image_input_needs_user_token', 'nothing'],
    ['content_refused', undefined, 'good'],
    ['model_not_found', undefined, 'nothing'],
    ['cancelled', undefined, 'nothing'],
    ['no_capacity', undefined, 'nothing'],
    ['internal', undefined, 'nothing'],
  ])('%s %s is %s', (code, reason, evidence) => {
    expect(failure(code, reason)).toBe(evidence);
  });

  it('takes what is not the upstream’s for nothing', () => {
    for (const code of errorCodes.filter((each) => !each.startsWith('upstream_') && each !== 'content_refused'))
      expect(failure(code)).toBe('nothing');
  });
});

/** Tries one second apart: `+` good, `-` a passing fault, and the refusals by their first letter. */
const letters: Readonly<Record<string, JudgedTry['evidence']>> = {
  '+': 'good',
  '-': 'passing',
  c: 'challenged',
  b: 'blocked',
  d: 'drifted',
};

function remembered(story: string): JudgedTry[] {
  let tries: JudgedTry[] = [];
  for (let index = 0; index < story.length; index += 1)
    tries = rememberTry(tries, { atMs: index * 1000, evidence: letters[story.charAt(index)]! });
  return tries;
}

const judge = (story: string, afterMs = 0): UpstreamState =>
  judgeTries(remembered(story), Math.max(0, story.length - 1) * 1000 + afterMs);

describe('judgeTries', () => {
  it.each<[string, UpstreamState]>([
    ['', 'unknown'],
    ['+', 'ok'],
    ['-', 'degraded'],
    ['--', 'degraded'],
    // One fault among successes is an accident, and so are two.
    ['+-', 'ok'],
    ['-+', 'ok'],
    ['++-+-++', 'ok'],
    ['++-+-+-', 'degraded'],
    ['---++++', 'degraded'],
    ['---+++++++', 'degraded'],
    ['---++++++++', 'ok'],
    // Refusals count at once, until a success.
    ['++++c', 'challenged'],
    ['b', 'blocked'],
    ['d', 'drifted'],
    ['cb', 'blocked'],
    ['c+', 'ok'],
    ['d+', 'ok'],
    ['c-', 'challenged'],
    ['c------------', 'challenged'],
    ['c------------+', 'degraded'],
    ['d+d+d+', 'ok'],
  ])('%j is %s', (story, state) => {
    expect(judge(story)).toBe(state);
  });

  it('forgets what is half an hour old', () => {
    for (const story of ['+', '-', 'c', 'b', 'd', '---+']) {
      expect(judge(story, EVIDENCE_MS - 1)).not.toBe('unknown');
      expect(judge(story, EVIDENCE_MS)).toBe('unknown');
    }
  });

  it('keeps little, and always has an answer', () => {
    const letter = fc.constantFrom(...Object.keys(letters));
    fc.assert(
      fc.property(fc.array(letter, { maxLength: 60 }), (story) => {
        const tries = remembered(story.join(''));
        expect(tries.length).toBeLessThanOrEqual(WINDOW + 1);
        const state = judge(story.join(''));
        expect(upstreamStates).toContain(state);
        const lastGood = story.lastIndexOf('+');
        const refusal = story.slice(lastGood + 1).findLast((each) => isRefusal(letters[each]!));
        if (refusal !== undefined) expect(state).toBe(letters[refusal]);
        else expect(['ok', 'degraded', 'unknown']).toContain(state);
      }),
    );
  });
});
