const K = 1000;

/** How many tokens go into the models of a family (protocol 10.6); the first that fits counts. It is what the official API says of itself. */
const families: readonly { readonly name: RegExp; readonly tokens: number }[] = [
  { name: /^glm-5\.3(?:-|$)/, tokens: 1000 * K },
  { name: /^glm-5/, tokens: 200 * K },
  { name: /^glm-4\.[67](?:-|$)/, tokens: 200 * K },
  { name: /^glm-4\.6v/, tokens: 128 * K },
  { name: /^glm-4\.5v/, tokens: 64 * K },
  { name: /^glm-4\.5/, tokens: 128 * K },
  { name: /^glm-4-32b/, tokens: 128 * K },
];

/** The tokens that a model of this public id takes, question and answer together; undefined when nobody knows. */
export function contextTokensOf(id: string): number | undefined {
  const lower = id.toLowerCase();
  return families.find(({ name }) => name.test(lower))?.tokens;
}
