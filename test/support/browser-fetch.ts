/** What a page may read of an answer without being told so: the CORS-safelisted response headers of Fetch. */
const safelisted = [
  'cache-control',
  'content-language',
  'content-length',
  'content-type',
  'expires',
  'last-modified',
  'pragma',
];
/** What a page may send without asking. */
const simpleHeaders = new Set(['accept', 'accept-language', 'content-language', 'user-agent']);

/** `fetch` as a page of this origin has it: asks by a preflight before each call, obeys the answer, and hides what it may not show. */
export function createBrowserFetch(origin: string): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    await preflight(request, origin);
    const headers = new Headers(request.headers);
    headers.set('origin', origin);
    return visible(await fetch(request, { headers }), origin);
  };
}

async function preflight({ url, method, headers }: Request, origin: string): Promise<void> {
  const asked = [...headers.keys()].filter((name) => !simpleHeaders.has(name));
  const response = await fetch(url, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': method,
      'access-control-request-headers': asked.join(','),
    },
  });
  const list = (name: string): string[] => (response.headers.get(name) ?? '').toLowerCase().split(/, */);
  const allowed = new Set(list('access-control-allow-headers'));
  const mayCall = list('access-control-allow-methods').includes(method.toLowerCase());
  if (!response.ok || !isFor(response, origin) || !mayCall || !asked.every((name) => allowed.has(name))) {
    throw new TypeError('Failed to fetch');
  }
}

function visible(response: Response, origin: string): Response {
  if (!isFor(response, origin)) throw new TypeError('Failed to fetch');
  const exposed = (response.headers.get('access-control-expose-headers') ?? '').toLowerCase().split(/, */);
  const names = new Set([...safelisted, ...exposed]);
  const headers = [...response.headers].filter(([name]) => names.has(name));
  return new Response(response.body, { status: response.status, headers });
}

function isFor({ headers }: Response, origin: string): boolean {
  return ['*', origin].includes(headers.get('access-control-allow-origin') ?? '');
}
