import { describe, expect, it } from '@jest/globals';
import { createItemId, createResponseId, isResponseId, responseIdOfItem } from './item-ids.ts';

describe('the id of an item', () => {
  it.each(['in', 'out'] as const)('says where the item is: %s', (place) => {
    const response = createResponseId('0123abc');
    expect(responseIdOfItem(createItemId('msg', response, place, 12))).toBe(response);
  });

  it.each(['', 'msg_', 'msg_abc', 'msg_abc_', 'msg_a-b_1', 'msg_abc_x1', `msg_${'a'.repeat(65)}_1`, '../../x_1'])(
    'of somebody else says nothing: %p',
    (id) => {
      expect(responseIdOfItem(id)).toBeUndefined();
    },
  );
});

it.each([
  ['resp_0123abc', true],
  ['resp_', false],
  ['resp_a:b', false],
  ['resp_a}b', false],
  ['0123', false],
])('%p is an id of a response: %p', (id, is) => {
  expect(isResponseId(id)).toBe(is);
});
