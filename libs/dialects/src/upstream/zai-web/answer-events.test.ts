import { describe, expect, it } from '@jest/globals';
import { createEventChecker, type TurnEvent } from '@zai2api/turn';
import fc from 'fast-check';
import { createAnswerEvents, type AnswerEvents } from './answer-events.ts';

type Step = ['reasoning' | 'text', string] | ['endReasoning', string | undefined] | ['restart'] | ['take'];

function play(steps: readonly Step[]): { events: TurnEvent[]; answer: AnswerEvents } {
  const answer = createAnswerEvents();
  const events: TurnEvent[] = [];
  for (const step of steps) {
    if (step[0] === 'restart') answer.restart();
    else if (step[0] === 'take') events.push(...answer.take());
    else if (step[0] === 'endReasoning') answer.endReasoning(step[1]);
    else answer[step[0]](step[1]);
  }
  answer.end();
  events.push(...answer.take());
  return { events, answer };
}

function joined(events: readonly TurnEvent[], type: 'reasoning-delta' | 'text-delta'): string {
  return events.map((event) => (event.type === type ? event.text : '')).join('');
}

function expectOrder(events: readonly TurnEvent[]): void {
  const checker = createEventChecker();
  checker.push({ type: 'turn-start', id: 't', model: 'm', createdAt: 0, warnings: [] });
  for (const event of events) checker.push(event);
}

describe('what is sent', () => {
  it('opens and closes blocks, thought before text, with the summary', () => {
    const { events } = play([
      ['reasoning', 'a'],
      ['reasoning', 'b'],
      ['take'],
      ['reasoning', 'c'],
      ['endReasoning', 'Thought for 2 seconds'],
      ['text', 'd'],
    ]);
    expect(events).toEqual([
      { type: 'reasoning-start', block: 0 },
      { type: 'reasoning-delta', block: 0, text: 'ab' },
      { type: 'reasoning-delta', block: 0, text: 'c' },
      { type: 'reasoning-end', block: 0, summary: 'Thought for 2 seconds' },
      { type: 'text-start', block: 1 },
      { type: 'text-delta', block: 1, text: 'd' },
      { type: 'text-end', block: 1 },
    ]);
  });

  it.each<[string, Step[], string, string]>([
    ['is nothing for a repetition', [['text', 'abc'], ['restart'], ['text', 'abc']], '', 'abc'],
    ['is the growth behind a repetition', [['text', 'abc'], ['restart'], ['text', 'abcdef']], '', 'abcdef'],
    [
      'is the growth behind a repetition in pieces',
      [['text', 'abc'], ['restart'], ['text', 'ab'], ['text', 'cd']],
      '',
      'abcd',
    ],
    ['is nothing for what shrank', [['text', 'abc'], ['restart'], ['text', 'a']], '', 'abc'],
    [
      'is the rest for what shrank and grew',
      [['text', 'abc'], ['restart'], ['text', 'a'], ['restart'], ['text', 'abcd']],
      '',
      'abcd',
    ],
    ['is what differs from the first difference on', [['text', 'abc'], ['restart'], ['text', 'aXY']], '', 'abcXY'],
    [
      'keeps thought and text apart',
      [
        ['reasoning', 'a'],
        ['endReasoning', undefined],
        ['text', 'b'],
        ['restart'],
        ['reasoning', 'a'],
        ['endReasoning', 'S'],
        ['text', 'bc'],
      ],
      'a',
      'bc',
    ],
  ])('%s', (_name, steps: Step[], reasoning, text) => {
    for (const each of [steps, steps.flatMap<Step>((step) => [step, ['take']])]) {
      const { events } = play(each);
      expectOrder(events);
      expect(joined(events, 'reasoning-delta')).toBe(reasoning);
      expect(joined(events, 'text-delta')).toBe(text);
    }
  });

  it('is whole characters, also where a rewriting differs in half of one', () => {
    const { events } = play([['text', 'go 🚀'], ['take'], ['restart'], ['text', 'go 🚁!']]);
    expect(joined(events, 'text-delta')).toBe('go 🚀🚁!');
  });

  it('may be an ended thought that goes on after an edit: a new block', () => {
    const { events } = play([['reasoning', 'a'], ['endReasoning', 'S'], ['restart'], ['reasoning', 'ab']]);
    expectOrder(events);
    expect(joined(events, 'reasoning-delta')).toBe('ab');
  });
});

it('keeps the order rules and says all of the last reading, whatever happens', () => {
  const word = fc.constantFrom('a', 'b', 'ab', '\n', '🚀', '🚁');
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.tuple(fc.constantFrom('reasoning' as const, 'text' as const), word) },
    fc.tuple(fc.constant('endReasoning' as const), fc.constantFrom(undefined, 'S')),
    fc.constant<Step>(['restart']),
    fc.constant<Step>(['take']),
  );
  fc.assert(
    fc.property(fc.array<Step>(step, { maxLength: 30 }), (steps) => {
      const { events, answer } = play(steps);
      expectOrder(events);
      const restart = steps.findLastIndex(([name]) => name === 'restart');
      for (const kind of ['reasoning', 'text'] as const) {
        const last = steps
          .slice(restart + 1)
          .map((each) => (each[0] === kind ? each[1] : ''))
          .join('');
        const all = joined(events, `${kind}-delta`);
        expect(all.isWellFormed()).toBe(true);
        expect(answer.sent(kind).startsWith(last) || last.startsWith(answer.sent(kind))).toBe(true);
        if (restart < 0) expect(all).toBe(last);
      }
      expect(answer.empty).toBe(events.length === 0);
    }),
  );
});
