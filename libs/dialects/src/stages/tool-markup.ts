/**
 * How calls are written in text: `<tool_calls><tool_call name="NAME"><![CDATA[{json}]]></tool_call></tool_calls>`. Delimiters and CDATA
 * have the best record, as arguments may hold quotes, line breaks and markup of their own (protocol 6).
 */
export const CALLS_OPEN = '<tool_calls>';
/** Ends a list of calls. */
export const CALLS_CLOSE = '</tool_calls>';
/** Ends one call. */
export const CALL_CLOSE = '</tool_call>';
/** Begins text in which no tag counts. */
export const CDATA_OPEN = '<![CDATA[';
/** Ends text in which no tag counts. */
export const CDATA_CLOSE = ']]>';
/** How XML writes `]]>` inside of CDATA. */
export const CDATA_SPLIT = `]]${CDATA_CLOSE}${CDATA_OPEN}>`;

/** One call. `argumentsText` is JSON, in which `]]>` can only stand in a string and may be escaped there. */
export function encodeToolCall(call: {
  readonly name: string;
  readonly argumentsText: string;
  readonly id?: string;
}): string {
  const id = call.id === undefined ? '' : ` id="${encodeAttribute(call.id)}"`;
  const json = call.argumentsText.trim() === '' ? '{}' : call.argumentsText;
  return `<tool_call${id} name="${encodeAttribute(call.name)}">${CDATA_OPEN}${json.replaceAll(CDATA_CLOSE, ']]\\u003e')}${CDATA_CLOSE}${CALL_CLOSE}`;
}

/** A text in which nothing can be taken for the end of its element. */
export const encodeCdata = (text: string): string =>
  CDATA_OPEN + text.replaceAll(CDATA_CLOSE, CDATA_SPLIT) + CDATA_CLOSE;

/** The value of an attribute, to be put between double quotes. */
export const encodeAttribute = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** The value of an attribute in the text of a tag, with whatever quotes; undefined when it is not there. */
export function readAttribute(attributes: string, name: string): string | undefined {
  const match = new RegExp(`(?:^|\\s)${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s"'/>]+))`).exec(attributes);
  return match ? (match[1] ?? match[2] ?? match[3]) : undefined;
}

/** The length of the longest end of `text` that may be the beginning of `marker`. */
export function heldSuffix(text: string, marker: string): number {
  for (let length = Math.min(text.length, marker.length - 1); length > 0; length--) {
    if (text.endsWith(marker.slice(0, length))) return length;
  }
  return 0;
}

/** `yes` when the text begins with one of the markers, `wait` when it may still come to that. */
export function beginsWith(text: string, markers: readonly string[]): 'yes' | 'wait' | 'no' {
  if (markers.some((marker) => text.startsWith(marker))) return 'yes';
  return markers.some((marker) => marker.startsWith(text)) ? 'wait' : 'no';
}
