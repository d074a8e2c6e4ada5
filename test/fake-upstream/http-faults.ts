/** A whole HTTP answer that is not the one hoped for. */
export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** The edge in front of the site: recognised by status, content type and the first 1000 characters (protocol 8.2). */
const edgeBlockPage = `<!doctypehtml><html lang="zh-cn"><head><meta charset="utf-8"><title>405</title></head><body>
<p>Sorry, your request has been blocked as it may cause potential threats to the server's security.</p>
<a href="https://errors.aliyun.com/">errors.aliyun.com</a></body></html>
`;

const detail = (status: number, text: string): HttpAnswer => ({
  status,
  contentType: 'application/json',
  body: JSON.stringify({ detail: text }),
});

const page = (status: number, title: string): HttpAnswer => ({
  status,
  contentType: 'text/html',
  body: `<html><head><title>${title}</title></head><body><center><h1>${title}</h1></center></body></html>\n`,
});

/** The HTTP-level failures of protocol 8.2, and two 200 answers in a shape nobody expects. */
export const httpAnswers = {
  '400': detail(400, 'There was an error parsing the body'),
  'bad-signature': detail(400, '403: Signature validation failed: invalid signature'),
  '401': detail(401, '401 Unauthorized'),
  '403': detail(403, "You don't have permission to access this resource"),
  '403-challenge': {
    status: 403,
    contentType: 'application/json',
    body: JSON.stringify({
      detail: {
        code: 'FRONTEND_CAPTCHA_REQUIRED',
        message: 'Please refresh the page to update the app, then try again.',
      },
    }),
  },
  '404': detail(404, 'Not Found'),
  waf: { status: 405, contentType: 'text/html; charset=utf-8', body: edgeBlockPage },
  '405': detail(405, 'Method Not Allowed'),
  '422': detail(422, 'Field required'),
  '426': detail(426, 'client version check failed'),
  '429': detail(429, 'Too Many Requests'),
  '429-html': page(429, '429 Too Many Requests'),
  '500': { status: 500, contentType: 'text/plain; charset=utf-8', body: 'Internal Server Error' },
  '502': page(502, '502 Bad Gateway'),
  '503': page(503, '503 Service Temporarily Unavailable'),
  '504': page(504, '504 Gateway Time-out'),
  'not-json': page(200, 'Z.ai'),
  'empty-object': { status: 200, contentType: 'application/json', body: '{}' },
} as const satisfies Record<string, HttpAnswer>;

/** `hang`: no byte until the client leaves; `reset`: the connection is cut before the first byte; the rest are whole answers. */
export type HttpFault = keyof typeof httpAnswers | 'hang' | 'reset';

/** Every fault name. */
export const httpFaults: readonly HttpFault[] = [
  ...(Object.keys(httpAnswers) as (keyof typeof httpAnswers)[]),
  'hang',
  'reset',
];

/** True when the name is one of `httpFaults` and not, say, a scenario. */
export function isHttpFault(name: string): name is HttpFault {
  return (httpFaults as readonly string[]).includes(name);
}
