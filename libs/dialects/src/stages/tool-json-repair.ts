import { jsonrepair } from 'jsonrepair';
import { tryParseJson } from '../try-parse-json.ts';

/** The general repair takes seconds for twice as much of the worst. What is usual in larger texts is mended without it. */
const MAX_REPAIRED_CHARACTERS = 50_000;

/** JSON text from what is nearly JSON; undefined when nothing sensible can be made of it. JSON itself comes back as it is. */
export function repairJson(text: string): string | undefined {
  if (tryParseJson(text) !== undefined) return text;
  const repairs = [
    mendStrings,
    decodeEntities,
    ...(text.length <= MAX_REPAIRED_CHARACTERS ? [(broken: string) => jsonrepair(mendStrings(broken))] : []),
  ];
  for (const repair of repairs) {
    try {
      const repaired = repair(text);
      if (tryParseJson(repaired) !== undefined) return repaired;
    } catch {
      // Beyond this repair, or nested too deeply for it.
    }
  }
  return undefined;
}

const escapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * Raw line breaks and backslashes before a character that knows no escape, such as those of a regular expression. A general repair
 * would drop the backslash and change what the model meant.
 */
function mendStrings(text: string): string {
  return text.replace(/"[^"\\]*(?:\\[\s\S][^"\\]*)*"?/g, (literal) =>
    literal
      .replace(/\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})|\\/g, (escape) => (escape === '\\' ? '\\\\' : escape))
      .replace(/[\n\r\t]/g, (control) => escapes[control] ?? control),
  );
}

function decodeEntities(text: string): string {
  return text
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}
