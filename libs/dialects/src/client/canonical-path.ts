/** A vendor's base, then the version once or twice, or nothing at all (contract 5.8). */
const alias = /^(?:(?:\/(?:api\/anthropic|anthropic|openai|api))?\/v1(?:\/v1)?|\/api\/paas\/v4)?(?=\/)/;
const anthropicAlias = /^\/(?:api\/)?anthropic\//;

/**
 * The path of an endpoint below `/v1`, whichever of its aliases was asked for: `/messages`, `/anthropic/v1/messages/` and `/v1/v1/messages`
 * are all `/v1/messages`. The one place that knows the aliases (contract 5.8). Takes a path without query; a trailing slash and doubled ones
 * are tolerated.
 */
export function canonicalPath(path: string): string {
  const clean = cleanPath(path);
  return clean === '/' ? clean : `/v1${clean.replace(alias, '')}`;
}

/** The path without doubled and trailing slashes. */
export function cleanPath(path: string): string {
  const single = path.includes('//') ? path.replaceAll(/\/{2,}/g, '/') : path;
  return single.length > 1 && single.endsWith('/') ? single.slice(0, -1) : single;
}

/** Whether the path is an alias by which only clients of the Anthropic API come: it says the same as the header `anthropic-version`. */
export function isAnthropicAlias(path: string): boolean {
  return anthropicAlias.test(cleanPath(path));
}
