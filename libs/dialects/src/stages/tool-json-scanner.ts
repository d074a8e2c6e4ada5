/** Reads JSON as it comes and says how far it is sure: streamed arguments cannot be taken back. */
export interface JsonScanner {
  /** Reads on. Returns the units used: fewer than given when the value is complete, or no JSON from there on. */
  push(text: string): number;
  readonly state: 'open' | 'complete' | 'broken';
  /**
   * Units from the start that any sensible repair keeps as they are. A quote that ends a string may turn out to belong into it, a number
   * may turn out to be a word, a comma to be one too many: they count once what follows them has proven them.
   */
  readonly sure: number;
  /** True between values: only closing brackets may be missing. */
  readonly betweenValues: boolean;
}

type Expected =
  | 'root'
  | 'value'
  | 'first-item'
  | 'key'
  | 'first-key'
  | 'colon'
  | 'delimiter'
  | 'string'
  | 'escape'
  | 'hex'
  | 'bare'
  | 'nothing';

const bareValue = /^(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)$/;

/** A scanner for one value: an object, or with `any` also a list. */
export function createJsonScanner(root: 'object' | 'any'): JsonScanner {
  const closers: string[] = [];
  let expected: Expected = 'root';
  let inKey = false;
  let hexDigits = 0;
  let bare = '';
  let position = 0;
  let sure = 0;
  let broken = false;

  function open(character: string): boolean {
    closers.push(character === '{' ? '}' : ']');
    expected = character === '{' ? 'first-key' : 'first-item';
    sure = position + 1;
    return true;
  }

  function close(character: string): boolean {
    if (closers.at(-1) !== character) return false;
    closers.pop();
    expected = closers.length === 0 ? 'nothing' : 'delimiter';
    return true;
  }

  function beginString(isKey: boolean): boolean {
    inKey = isKey;
    expected = 'string';
    sure = position + 1;
    return true;
  }

  function takeInString(character: string): boolean {
    if (expected === 'hex') {
      if (!/[0-9a-fA-F]/.test(character)) return false;
      hexDigits -= 1;
      if (hexDigits > 0) return true;
    } else if (expected === 'escape') {
      if (character === 'u') {
        hexDigits = 4;
        expected = 'hex';
        return true;
      }
      if (!'"\\/bfnrt'.includes(character)) return false;
    } else if (character === '"') {
      expected = inKey ? 'colon' : 'delimiter';
      return true;
    } else if (character === '\\') {
      expected = 'escape';
      return true;
    } else if (character < ' ') {
      return false;
    }
    expected = 'string';
    sure = position + 1;
    return true;
  }

  function takeValue(character: string): boolean {
    if (character === '"') return beginString(false);
    if (character === '{' || character === '[') return open(character);
    if (character === ']' && expected === 'first-item') return close(character);
    if (!/[-0-9tfn]/.test(character)) return false;
    bare = character;
    expected = 'bare';
    sure = position;
    return true;
  }

  function take(character: string): boolean {
    if (expected === 'string' || expected === 'escape' || expected === 'hex') return takeInString(character);
    if (expected === 'bare') {
      if (/[-+.0-9a-zA-Z]/.test(character)) {
        bare += character;
        return true;
      }
      if (!bareValue.test(bare)) return false;
      expected = 'delimiter';
    }
    if (character === ' ' || character === '\n' || character === '\r' || character === '\t') return true;
    switch (expected) {
      case 'root':
        return character === '{' || (root === 'any' && character === '[') ? open(character) : false;
      case 'value':
      case 'first-item':
        return takeValue(character);
      case 'key':
      case 'first-key':
        if (character === '"') return beginString(true);
        return character === '}' && expected === 'first-key' && close(character);
      case 'colon':
        expected = 'value';
        return character === ':';
      case 'delimiter':
        if (character !== ',') return close(character);
        expected = closers.at(-1) === '}' ? 'key' : 'value';
        return true;
      case 'nothing':
        return false;
    }
  }

  return {
    push(text) {
      for (let at = 0; at < text.length; at++) {
        if (broken || expected === 'nothing') return at;
        if (!take(text.charAt(at))) {
          broken = true;
          return at;
        }
        position += 1;
      }
      return text.length;
    },
    get state() {
      return broken ? 'broken' : expected === 'nothing' ? 'complete' : 'open';
    },
    get sure() {
      return sure;
    },
    get betweenValues() {
      return expected === 'delimiter' || (expected === 'bare' && bareValue.test(bare));
    },
  };
}
