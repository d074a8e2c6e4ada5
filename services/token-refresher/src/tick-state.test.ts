import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { createMemoryTickStateStore } from './memory-tick-state-store.ts';
import { createTickState } from './tick-state.ts';

const schema = z.object({ count: z.number() });

describe('createTickState', () => {
  it('is empty before it is written, then what was written last', async () => {
    const stateStore = createMemoryTickStateStore();
    const tickState = createTickState({ stateStore, name: 'one', schema, emptyValue: { count: 0 } });
    expect(await tickState.read()).toEqual({ count: 0 });
    await tickState.write({ count: 1 });
    await tickState.write({ count: 2 });
    expect(await tickState.read()).toEqual({ count: 2 });
    expect(await createTickState({ stateStore, name: 'other', schema, emptyValue: { count: 7 } }).read()).toEqual({
      count: 7,
    });
  });

  it.each(['{"count":"many"}', '{"cou', ''])('is empty when it holds %j', async (text) => {
    const stateStore = createMemoryTickStateStore();
    await stateStore.write('one', text);
    expect(await createTickState({ stateStore, name: 'one', schema, emptyValue: { count: 0 } }).read()).toEqual({
      count: 0,
    });
  });
});
