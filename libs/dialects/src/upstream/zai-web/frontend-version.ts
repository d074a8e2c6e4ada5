/** The build that the upstream's own page names in its asset URLs, such as `prod-fe-1.1.98` (protocol 4.4); undefined when it names none. */
export function findFrontendVersion(html: string): string | undefined {
  return /prod-fe-\d+\.\d+\.\d+/.exec(html)?.[0];
}
