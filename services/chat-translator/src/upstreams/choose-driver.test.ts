import { describe, expect, it } from '@jest/globals';
import { builtInModels } from '@zai2api/dialects';
import { errorCodes, TurnError, type ErrorCode } from '@zai2api/turn';
import { failureScope, mostHopeful, routesFor } from './choose-driver.ts';

const error = (code: ErrorCode, reason?: string): TurnError =>
  new TurnError(code, code, { layer: 'upstream', ...(reason === undefined ? {} : { reason }) });

describe('how far a failure reaches', () => {
  it.each<[ErrorCode, string | undefined, string]>([
    ['content_refused', undefined, 'none'],
    ['invalid_request', 'context_length_exceeded', 'none'],
    ['cancelled', undefined, 'none'],
    ['upstream_failed', 'tool_choice_not_satisfied', 'none'],
    ['upstream_failed', 'invalid_tool_call', 'none'],
    ['upstream_failed', undefined, 'model'],
    ['upstream_failed', 'empty_answer', 'model'],
    ['upstream_busy', 'model_busy', 'model'],
    ['upstream_forbidden', undefined, 'model'],
    ['model_not_found', undefined, 'model'],
    ['upstream_failed', 'upstream_unauthorized', 'upstream'],
    ['upstream_busy', 'insufficient_quota', 'upstream'],
    ['upstream_busy', 'upstream_concurrency', 'upstream'],
    ['upstream_forbidden', 'upstream_forbidden', 'upstream'],
    ['upstream_forbidden', 'fair_use_restriction', 'upstream'],
    ['invalid_request', 'refused_by_upstream', 'upstream'],
    ['upstream_forbidden', 'image_input_needs_user_token', 'upstream'],
    ['upstream_challenged', undefined, 'upstream'],
    ['upstream_blocked', undefined, 'upstream'],
    ['upstream_unreachable', undefined, 'upstream'],
    ['upstream_timeout', undefined, 'upstream'],
    ['no_capacity', 'no_credentials', 'upstream'],
  ])('%s %s: %s', (code, reason, scope) => {
    expect(failureScope(error(code, reason))).toBe(scope);
  });

  it('is that of the model when the credential may go on with others', () => {
    const details = { layer: 'upstream', reason: 'upstream_concurrency', reach: 'model' } as const;
    expect(failureScope(new TurnError('upstream_busy', 'x', details))).toBe('model');
  });

  it('is known of every kind', () => {
    for (const code of errorCodes) expect(['none', 'model', 'upstream']).toContain(failureScope(error(code)));
  });
});

describe('the failure that is told', () => {
  it('is the one that passes soonest; of two alike, the first', () => {
    const quota = error('upstream_busy', 'insufficient_quota');
    const challenged = error('upstream_challenged');
    const busy = error('upstream_busy', 'model_busy');
    const failed = error('upstream_failed');
    expect(mostHopeful([quota, challenged])).toBe(quota);
    expect(mostHopeful([challenged, quota, failed])).toBe(failed);
    expect(mostHopeful([challenged, busy, failed])).toBe(busy);
    expect(mostHopeful([error('upstream_drifted'), challenged])).toBe(challenged);
    const first = error('upstream_forbidden');
    expect(mostHopeful([first, error('model_not_found')])).toBe(first);
  });
});

describe('routes', () => {
  const blind = builtInModels.find(({ capabilities }) => !capabilities.vision)!;
  const sighted = builtInModels.find(({ capabilities }) => capabilities.vision)!;
  it('are those that can see, where something is to be seen', () => {
    const routes = [
      { upstream: 'a', model: blind },
      { upstream: 'b', model: sighted },
    ];
    expect(routesFor(routes, { needsVision: false })).toEqual(routes);
    expect(routesFor(routes, { needsVision: true })).toEqual([routes[1]]);
    expect(routesFor([routes[0]!], { needsVision: true })).toEqual([routes[0]]);
  });
});
