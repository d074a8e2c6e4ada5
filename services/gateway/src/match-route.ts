import { canonicalPath, cleanPath } from '@zai2api/dialects';
import { routes, unsupportedEndpoints, type Route } from './routes.ts';

/** What a request's method and path mean. `path` is the canonical one, where an alias or a trailing slash was used. */
export type RouteMatch =
  | { readonly kind: 'route'; readonly route: Route; readonly path: string }
  | { readonly kind: 'wrong-method'; readonly route: Route }
  | { readonly kind: 'unsupported'; readonly isUnknown: boolean }
  | { readonly kind: 'unknown' };

/** Finds the endpoint of a path without query, in any of its aliases (contract 5.8). */
export function matchRoute(method: string, path: string): RouteMatch {
  const canonical = canonicalPath(path);
  const unsupported = unsupportedEndpoints.find((each) => each.path.test(canonical));
  if (unsupported !== undefined) return { kind: 'unsupported', isUnknown: unsupported.isUnknown };
  for (const candidate of [cleanPath(path), canonical]) {
    const route = routes.find((each) => each.path.test(candidate));
    if (route === undefined) continue;
    return route.methods.includes(method) ? { kind: 'route', route, path: candidate } : { kind: 'wrong-method', route };
  }
  return { kind: 'unknown' };
}
