/** The methods each route of the API takes, by its path as API Gateway writes it: `/api/sessions/{id}`. */
export type Routes = Readonly<Record<string, readonly string[]>>;

/** What there is to say to a request that no function takes. */
export type Fallback =
  | { readonly kind: 'moved'; readonly to: string }
  | { readonly kind: 'preflight'; readonly methods: readonly string[] }
  | { readonly kind: 'wrong-method'; readonly methods: readonly string[] }
  | { readonly kind: 'not-found' };

/**
 * What a path is made of (RFC 3986 section 3.3), and no slash twice. Browsers take a backslash for a slash and skip tabs, so
 * that a redirect to `/\host` or to `/`, tab, `/host` would lead away.
 */
const PATH = /^(?:\/[\w.~!$&'()*+,;=:@%-]+)+$/;

/**
 * Decides on a request by its path: a trailing slash too much (Simple JWT's clients send it), a method a route does not
 * take, or nothing there at all.
 *
 * @param path as the client wrote it, with what stands before the API's own paths (a stage, a base path)
 * @param resource the path of the resource that took the request, or a catch-all
 */
export function fallback(method: string, path: string, resource: string, routes: Routes): Fallback {
  const methods = routes[resource];
  if (methods !== undefined) {
    if (method === 'OPTIONS') return { kind: 'preflight', methods };
    if (!methods.includes(method)) return { kind: 'wrong-method', methods };
  }
  // Several leading slashes would make the target another host.
  const target = path.replace(/^\/+/, '/').replace(/\/+$/, '');
  const route = PATH.test(target) ? Object.keys(routes).find((one) => endsWithRoute(target, one)) : undefined;
  if (target === path || route === undefined) return { kind: 'not-found' };
  // A browser takes no redirect for the answer to a preflight.
  return method === 'OPTIONS' ? { kind: 'preflight', methods: routes[route] ?? [] } : { kind: 'moved', to: target };
}

/** Whether a path ends in a route, behind at most two segments (a stage, a base path). */
function endsWithRoute(path: string, route: string): boolean {
  const wanted = route.split('/').slice(1);
  const given = path.split('/').slice(1);
  const before = given.length - wanted.length;
  if (before < 0 || before > 2) return false;
  return wanted.every((part, at) => part === given[before + at] || /^\{.+\}$/.test(part));
}
