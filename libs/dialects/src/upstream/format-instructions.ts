import type { ResponseFormat } from '@zai2api/turn';

const oneObject = 'nothing but one JSON object: no prose, no Markdown fence.';

/**
 * What the model is told about the form of its answer; empty when it is free. The upstream knows no such parameter (protocol 4.6). With
 * `mayCallTools` a call is an answer too.
 */
export function encodeFormatInstructions(format: ResponseFormat, mayCallTools: boolean): string {
  if (format.type === 'text') return '';
  const start = mayCallTools ? 'Unless you call a tool, the reply is' : 'The reply is';
  if (format.type === 'json-object') return `${start} ${oneObject}`;
  return `${start} ${oneObject} It must be valid against this JSON Schema (${format.name}):\n${JSON.stringify(format.schema)}`;
}
