import { turnBodies } from './dialect-bodies.ts';

/** One way of asking: an endpoint, streamed or whole, and kept or not where there is a choice. */
export interface TurnForm {
  /** Such as `/v1/responses, streamed, kept`. */
  readonly name: string;
  readonly path: string;
  readonly stream: boolean;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Every dialect, streamed and whole, and responses that are kept. The fields go into each body. */
export const turnForms = (prompt: string, fields: Readonly<Record<string, unknown>> = {}): readonly TurnForm[] =>
  turnBodies(prompt).flatMap(({ path, body }) =>
    [true, false].flatMap((stream) =>
      (path === '/v1/responses' ? [false, true] : [undefined]).map((store) => ({
        name: [path, stream ? 'streamed' : 'whole', ...(store === true ? ['kept'] : [])].join(', '),
        path,
        stream,
        body: { ...body, ...fields, stream, ...(store !== undefined && { store }) },
      })),
    ),
  );

/** Asks in this way. */
export const postTurn = (
  url: string,
  { path, body }: Pick<TurnForm, 'path' | 'body'>,
  { signal, headers }: { readonly signal?: AbortSignal; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Response> =>
  fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    ...(signal && { signal }),
  });
