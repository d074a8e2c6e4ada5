import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { createLocalTickNotes, createNote } from './tick-notes.ts';

const schema = z.object({ count: z.number() });

describe('createNote', () => {
  it('is blank before it is written, then what was written last', async () => {
    const notes = createLocalTickNotes();
    const note = createNote({ notes, name: 'one', schema, blank: { count: 0 } });
    expect(await note.read()).toEqual({ count: 0 });
    await note.write({ count: 1 });
    await note.write({ count: 2 });
    expect(await note.read()).toEqual({ count: 2 });
    expect(await createNote({ notes, name: 'other', schema, blank: { count: 7 } }).read()).toEqual({ count: 7 });
  });

  it.each(['{"count":"many"}', '{"cou', ''])('is blank when it holds %j', async (text) => {
    const notes = createLocalTickNotes();
    await notes.write('one', text);
    expect(await createNote({ notes, name: 'one', schema, blank: { count: 0 } }).read()).toEqual({ count: 0 });
  });
});
