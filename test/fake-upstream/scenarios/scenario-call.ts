/** A scenario by name, with what was written after it, as in `slow frames=20 delay=100`. */
export interface ScenarioCall {
  readonly name: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const marker = /\[\[scenario:([^\]]*)\]\]/g;

/** Parameters are words with `=`; a word without one is a switch with the value `true`. */
export function parseScenarioCall(text: string): ScenarioCall {
  const [name = '', ...words] = text.trim().split(/\s+/);
  const parameters = new Map<string, string>();
  for (const word of words) {
    const cut = word.indexOf('=');
    if (cut < 0) parameters.set(word, 'true');
    else parameters.set(word.slice(0, cut), word.slice(cut + 1));
  }
  return { name, parameters };
}

/** The last `[[scenario:…]]` of a prompt: in a flattened history the newest one stands last. */
export function findScenarioMarker(prompt: string): ScenarioCall | undefined {
  const last = [...prompt.matchAll(marker)].at(-1)?.[1];
  return last === undefined ? undefined : parseScenarioCall(last);
}

/** The prompt without its markers, so that an answer that repeats it starts no scenario in the next turn. */
export function withoutMarkers(prompt: string): string {
  return prompt.replaceAll(marker, '').trim();
}
