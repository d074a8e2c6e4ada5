import { repairJson } from './tool-json-repair.ts';
import { createJsonScanner } from './tool-json-scanner.ts';
import { beginsWith, CDATA_CLOSE, CDATA_SPLIT, heldSuffix } from './tool-markup.ts';

/** The JSON of a call, read from the text that follows; it ends where the JSON ends, whatever became of the markup behind it. */
export interface ToolBody {
  /** Returns the units used; fewer than given when it is `done` or needs more to decide. */
  read(text: string): number;
  /** The answer is over; `rest` is what was not used yet. */
  end(rest: string): void;
  readonly done: boolean;
  /** What is sure by now and was not taken before. */
  takeSure(): string;
  /**
   * The whole JSON text, repaired when need be; undefined when it cannot be saved. With `cut` the answer itself was cut off, and a value
   * that lacks its end is not completed by guessing.
   */
  result(cut: boolean): { readonly text: string; readonly repaired: boolean } | undefined;
}

/** What the JSON of a call may look like, and where it stands. */
export interface ToolBodyOptions {
  readonly root: 'object' | 'any';
  readonly cdata: boolean;
  readonly place: 'tag' | 'fence' | 'answer';
}

/** What may follow the JSON. Anything else shows that it was not at its end. */
const followers = {
  tag: [CDATA_CLOSE, ']>', ']]<', ']]\n', '</', '<tool_call', '```'],
  fence: ['```'],
  answer: [],
} as const satisfies Record<ToolBodyOptions['place'], readonly string[]>;
/** Where JSON that is broken ends. */
const ends = {
  tag: /<\/(?:tool_call|arguments|parameters)|<tool_call[\s>]/,
  fence: /```/,
  answer: undefined,
} as const satisfies Record<ToolBodyOptions['place'], RegExp | undefined>;
const LONGEST_END = '</parameters'.length;

/** A reader of one body. */
export function createToolBody({ root, cdata, place }: ToolBodyOptions): ToolBody {
  const scanner = createJsonScanner(root);
  let state: 'scan' | 'confirm' | 'broken' | 'done' = 'scan';
  let spoilt = false;
  let endedByAnswer = false;
  let whole = '';
  /** The end of `whole` that was not taken yet, apart: slicing the whole again and again would copy it every time. */
  let waiting = '';
  let taken = 0;

  function keep(text: string): void {
    whole += text;
    waiting += text;
  }

  function scan(text: string): void {
    const used = scanner.push(text);
    if (scanner.state === 'complete') {
      keep(text.slice(0, used));
      state = 'confirm';
    } else {
      keep(text);
      if (scanner.state === 'broken') state = 'broken';
    }
  }

  function readScanned(text: string): number {
    const split = cdata ? text.indexOf(CDATA_SPLIT) : -1;
    const plain = split >= 0 ? split : text.length - (cdata ? heldSuffix(text, CDATA_SPLIT) : 0);
    const used = scanner.push(text.slice(0, plain));
    keep(text.slice(0, used));
    if (scanner.state === 'complete') state = 'confirm';
    if (scanner.state === 'broken') state = 'broken';
    if (state !== 'scan' || split < 0) return used;
    scan(CDATA_CLOSE);
    return plain + CDATA_SPLIT.length;
  }

  function readBroken(text: string): number {
    const end = ends[place] ? text.search(ends[place]) : -1;
    if (end >= 0) state = 'done';
    const used = end >= 0 ? end : Math.max(0, text.length - LONGEST_END);
    keep(text.slice(0, used));
    return used;
  }

  function confirm(text: string): number {
    const rest = text.trimStart();
    const verdict = place === 'answer' ? 'yes' : rest === '' ? 'wait' : beginsWith(rest, followers[place]);
    if (verdict === 'yes') state = 'done';
    if (verdict === 'no') {
      state = 'broken';
      spoilt = true;
    }
    return 0;
  }

  const readers = { scan: readScanned, confirm, broken: readBroken, done: () => 0 };

  return {
    read(text) {
      let used = 0;
      for (;;) {
        const before = state;
        const count = readers[state](text.slice(used));
        used += count;
        if (count === 0 && state === before) return used;
      }
    },
    end(rest) {
      endedByAnswer = true;
      if (state === 'scan') scan(rest);
      else if (state === 'broken') keep(rest);
      // Behind complete JSON only the garbled beginning of an end can have been waited for.
      state = 'done';
    },
    get done() {
      return state === 'done';
    },
    takeSure() {
      const sure = waiting.slice(0, scanner.sure - taken);
      taken += sure.length;
      waiting = waiting.slice(sure.length);
      return sure;
    },
    result(cut) {
      if (scanner.state === 'complete' && !spoilt) return { text: whole, repaired: false };
      const close = endedByAnswer && scanner.state !== 'open' ? whole.lastIndexOf(CDATA_CLOSE) : -1;
      const text = withoutGarbledEnd(close > 0 ? whole.slice(0, close) : whole);
      if (text === '') return { text: '{}', repaired: true };
      const mayLackClosers = !cut && scanner.state === 'open' && scanner.betweenValues;
      if (endedByAnswer && close < 0 && !mayLackClosers && !text.endsWith('}')) return undefined;
      const json = repairJson(text);
      return json === undefined ? undefined : { text: json, repaired: true };
    },
  };
}

/** Without the markup that is left of an end that was garbled or cut. */
function withoutGarbledEnd(text: string): string {
  const tag = /<\/?[a-z_]*$/.exec(text.slice(-LONGEST_END))?.[0] ?? '';
  let end = text.length - tag.length;
  while (end > 0 && ']>`'.includes(text.charAt(end - 1).trim())) end -= 1;
  return text.slice(0, end);
}
