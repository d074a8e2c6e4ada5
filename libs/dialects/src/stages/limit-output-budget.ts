/** Counts the tokens of text that comes in pieces, and says where the budget ends: the same place however the text is cut. */
export interface TokenBudget {
  /** How many characters of the text still belong to the answer; fewer than given means that the budget is spent. */
  take(text: string): number;
  /** A block is over: what follows is no part of its last word. */
  close(): void;
}

/** A word that goes on is counted in parts of this length; that many Han characters are a whole number of estimated tokens. */
const MAX_WORD_CHARACTERS = 12;

/**
 * A budget of `max` tokens. Words are counted one by one, each once, so that the work does not grow with the length of the answer; the
 * answer ends before the first word that begins with nothing left. It can so be longer than `max` by the rest of one word.
 */
export function createTokenBudget(max: number, countTokens: (text: string) => number): TokenBudget {
  let spent = 0;
  let word = '';
  let length = 0;
  let behindBlank = false;

  function settle(rest: string): void {
    spent += countTokens(word + rest);
    word = '';
    length = 0;
  }

  return {
    take(text) {
      let from = 0;
      for (let at = 0; at < text.length; at++) {
        const unit = text.charCodeAt(at);
        const isBlank = unit === 32 || (unit >= 9 && unit <= 13);
        const isLowSurrogate = unit >= 0xdc00 && unit <= 0xdfff;
        if (length > 0 && !isLowSurrogate && ((isBlank && !behindBlank) || length >= MAX_WORD_CHARACTERS)) {
          settle(text.slice(from, at));
          from = at;
        }
        if (length === 0 && spent >= max) return at;
        length += 1;
        behindBlank = isBlank;
      }
      word += text.slice(from);
      return text.length;
    },
    close() {
      if (length > 0) settle('');
      behindBlank = false;
    },
  };
}
