import type { IncomingMessage } from 'node:http';
import type { OpenRequest } from '../received-request.ts';

/** Refuses nothing: a simulator for tests has no reason to limit a body. Undefined when the client left before its end. */
export async function readContent(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer);
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks);
}

async function decodeBody(content: Buffer, contentType: string): Promise<unknown> {
  if (content.length === 0) return undefined;
  if (contentType.startsWith('multipart/form-data')) return describeUpload(content, contentType);
  const text = content.toString('utf8');
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** What `record.body` says of an upload: the part named `file`, without its bytes; undefined when there is none. */
async function describeUpload(content: Buffer, contentType: string): Promise<unknown> {
  const form = await new Response(new Uint8Array(content), { headers: { 'content-type': contentType } })
    .formData()
    .catch(() => undefined);
  const file = form?.get('file');
  return file && typeof file !== 'string'
    ? { filename: file.name, contentType: file.type, size: file.size }
    : undefined;
}

/** The log record of a request, before anything is known about its answer. */
export async function createRecord(
  request: IncomingMessage,
  url: URL,
  id: number,
  content: Buffer,
  userId: string | undefined,
): Promise<OpenRequest> {
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
  return {
    id,
    method: request.method ?? '',
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers,
    body: await decodeBody(content, headers['content-type'] ?? ''),
    ...(userId !== undefined && { tokenUserId: userId }),
    atMs: Date.now(),
    faults: [],
  };
}

/** The token of an `Authorization: Bearer …` header. */
export function bearerToken(request: IncomingMessage): string | undefined {
  return /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
}

/** The `token` cookie. */
export function cookieToken(request: IncomingMessage): string | undefined {
  return /(?:^|;\s*)token=([^;\s]+)/.exec(request.headers.cookie ?? '')?.[1];
}
