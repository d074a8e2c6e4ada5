/** A tag of calls or results at the start of a text. */
export interface Tag {
  /** Such as `<tool_call` or `</tool_calls`. */
  readonly token: string;
  readonly attributes: string;
  readonly length: number;
}

/** The beginning of the tag that opens a call. */
export const CALL_TAG = '<tool_call';
/** The beginning of the tag that opens a list of calls. */
export const LIST_TAG = '<tool_calls';
const names = ['tool_call', 'tool_calls', 'tool_result', 'tool_results'];
const tokens = names.flatMap((name) => [`<${name}`, `</${name}`]);
const LONGEST_TOKEN = '</tool_results'.length;
/** A tag longer than this is taken for text: nothing is held back for ever. */
const MAX_TAG_CHARACTERS = 512;
/** What may stand before the first key of a JSON object, or before the JSON in a fence. */
export const MAX_OPENING_CHARACTERS = 256;
const callsObject = /^\{\s*"tool_calls"/;
const callsKey = '"tool_calls"';

/** The tag that the text begins with; `wait` when more is needed to tell, undefined when it is none. */
export function findTag(text: string): Tag | 'wait' | undefined {
  const token = /^<\/?[a-z_]*/.exec(text.slice(0, LONGEST_TOKEN + 1))?.[0];
  if (token === undefined) return text === '' ? 'wait' : undefined;
  if (token === text) return tokens.some((each) => each.startsWith(token)) ? 'wait' : undefined;
  if (!tokens.includes(token) || !/[\s>/]/.test(text.charAt(token.length))) return undefined;
  // The `>` may be missing where the next tag follows.
  const close = text.slice(1, MAX_TAG_CHARACTERS).search(/[<>]/) + 1;
  if (close === 0) return text.length < MAX_TAG_CHARACTERS ? 'wait' : undefined;
  const length = text.charAt(close) === '>' ? close + 1 : close;
  return { token, attributes: text.slice(token.length, close), length };
}

/** True for the beginning of a tag that is long enough to be nothing else, even when the answer ends there. */
export const isTagBeginning = (text: string): boolean => /^<\/?tool_/.test(text);

/** Whether the text begins with an object whose first key is `tool_calls`. */
export function findCallsObject(text: string): 'yes' | 'wait' | 'no' {
  if (callsObject.test(text)) return 'yes';
  const rest = text.slice(1).trimStart();
  return text.startsWith('{') && callsKey.startsWith(rest) && text.length <= MAX_OPENING_CHARACTERS ? 'wait' : 'no';
}
