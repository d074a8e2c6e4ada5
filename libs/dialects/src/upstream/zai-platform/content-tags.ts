/** Where the pieces of a `content` belong. */
export interface ContentSink {
  reasoning(text: string): void;
  text(text: string): void;
}

/** Sorts what a model writes into its `content`; holds back what may be the beginning of a tag. */
export interface ContentTags {
  push(text: string): void;
  /** The answer is over, or something else follows: nothing is held any longer. */
  end(): void;
}

const THINK = '<think>';
const THINK_END = '</think>';
/** What may stand before a thought, and is held until that is known. */
const MAX_BLANKS = 256;
/** Round the final answer of some vision models; they mean nothing to clients (protocol 10.3). */
const boxTags = ['<|begin_of_box|>', '<|end_of_box|>'];

/**
 * The reader of one answer's `content`. A thought at its very beginning is thinking, wherever else `<think>` stands it is text; the tags of
 * a box are taken out (protocol 10.3).
 */
export function createContentTags(sink: ContentSink): ContentTags {
  let state: 'start' | 'thought-start' | 'thought' | 'behind-thought' | 'text' = 'start';
  let held = '';

  /** Text without box tags; its tail stays held while it may be the beginning of one. */
  function release(text: string, isLast: boolean): void {
    if (!text.includes('<')) {
      sink.text(text);
      return;
    }
    let clean = text;
    for (const tag of boxTags) clean = clean.replaceAll(tag, '');
    const keep = isLast ? 0 : heldLength(clean, boxTags);
    held = clean.slice(clean.length - keep);
    sink.text(clean.slice(0, clean.length - keep));
  }

  function takeStart(text: string): void {
    const trimmed = text.trimStart();
    if (text.length - trimmed.length > MAX_BLANKS) {
      state = 'text';
      release(text, false);
    } else if (trimmed.startsWith(THINK)) {
      state = 'thought-start';
      take(trimmed.slice(THINK.length));
    } else if (trimmed === '' || THINK.startsWith(trimmed)) {
      held = text;
    } else {
      state = 'text';
      release(text, false);
    }
  }

  function takeThought(text: string): void {
    const end = text.indexOf(THINK_END);
    if (end >= 0) {
      sink.reasoning(text.slice(0, end).trimEnd());
      state = 'behind-thought';
      take(text.slice(end + THINK_END.length));
      return;
    }
    // Space at the end of a thought is none of it.
    const keep = Math.max(heldLength(text, [THINK_END]), text.length - text.trimEnd().length);
    const shown = text.slice(0, text.length - keep).trimEnd();
    held = text.slice(shown.length);
    sink.reasoning(shown);
  }

  function take(text: string): void {
    switch (state) {
      case 'start':
        takeStart(text);
        break;
      case 'thought-start': {
        const trimmed = text.trimStart();
        if (trimmed === '') return;
        state = 'thought';
        takeThought(trimmed);
        break;
      }
      case 'thought':
        takeThought(text);
        break;
      case 'behind-thought': {
        const trimmed = text.trimStart();
        if (trimmed === '') return;
        state = 'text';
        release(trimmed, false);
        break;
      }
      case 'text':
        release(text, false);
        break;
    }
  }

  return {
    push(text) {
      const all = held + text;
      held = '';
      take(all);
    },
    end() {
      const rest = held;
      held = '';
      if (state === 'thought') sink.reasoning(rest.trimEnd());
      else if (state === 'start' && rest.trim() === '') return;
      else if (rest !== '') release(rest, true);
      if (state === 'start') state = 'text';
    },
  };
}

/** How much of the end of the text is the beginning of one of the tags. */
function heldLength(text: string, tags: readonly string[]): number {
  const longest = Math.max(...tags.map((tag) => tag.length)) - 1;
  for (let length = Math.min(longest, text.length); length > 0; length--) {
    const tail = text.slice(text.length - length);
    if (tags.some((tag) => tag.startsWith(tail))) return length;
  }
  return 0;
}
