import type { ResponseFormat } from '@zai2api/turn';

/** What the model is told about the form of its answer; empty when it is free. The upstream knows no such parameter (protocol 4.6). */
export function encodeFormatInstructions(format: ResponseFormat): string {
  switch (format.type) {
    case 'text':
      return '';
    case 'json-object':
      return 'Answer with one JSON object and nothing else: no prose, no Markdown fence.';
    case 'json-schema':
      return (
        'Answer with one JSON object and nothing else: no prose, no Markdown fence. It must be valid against this JSON Schema ' +
        `(${format.name}):\n${JSON.stringify(format.schema)}`
      );
  }
}
