import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createWorld } from './state/world.ts';
import { answerRequest } from './routes/answer-request.ts';
import type { ReceivedRequest } from './received-request.ts';
import type { FakeUpstreamSettings } from './settings.ts';
import type { IssuedToken } from './state/identities.ts';
import type { StoredChat } from './state/chats.ts';
import type { StoredFile } from './state/files.ts';

/** A running simulator of the chat.z.ai web backend (protocol 11). */
export interface FakeUpstream {
  /** Such as `http://127.0.0.1:40123`, without a trailing slash. */
  readonly url: string;
  /** Everything it got except control calls, newest last, at most the last 10 000. */
  readonly log: readonly ReceivedRequest[];
  /** Same as `POST /__control`; throws a ZodError and changes nothing when the change does not fit. */
  configure(change: Partial<FakeUpstreamSettings>): void;
  settings(): FakeUpstreamSettings;
  /** Back to the settings it was started with, an empty log, no tokens, chats, files or peaks. Running answers go on. */
  reset(): void;
  /** Resolves with the first request, already logged or to come, that fits; asked again whenever a record changes. */
  waitForRequest(match: (request: ReceivedRequest) => boolean, withinMs: number): Promise<ReceivedRequest>;
  /** Resolves when the client side closed a still running answer of a request that fits. */
  waitForAbort(match: (request: ReceivedRequest) => boolean, withinMs: number): Promise<ReceivedRequest>;
  /** A signed-in user. */
  addUserToken(options?: { email?: string; name?: string }): { token: string; userId: string };
  /** From now on 401 for everything but `GET /api/v1/auths/`, which follows `deadTokenAnswer` (protocol 2). */
  revokeToken(token: string): void;
  /** Every token ever given out since the last reset, revoked ones too. */
  issuedTokens(): readonly IssuedToken[];
  /** Most completions of one identity at the same time since the last reset, refused ones included. */
  highestConcurrency(userId: string): number;
  /** Chats that nobody deleted yet. */
  chats(): readonly StoredChat[];
  /** Everything that was uploaded since the last reset. */
  files(): readonly StoredFile[];
  /** Completions being answered right now. */
  runningStreams(): number;
  /** Cuts every connection, rejects every wait, resolves when the port is free. */
  close(): Promise<void>;
}

export interface FakeUpstreamOptions {
  /** Default 0: any free port. */
  readonly port?: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  readonly settings?: Partial<FakeUpstreamSettings>;
  /** Told once per request when its answer is over, control calls excepted. */
  readonly onAnswered?: (request: ReceivedRequest) => void;
  /** Told of each completion of an identity when it comes in, refused ones too; what it returns is called when its place is free again. */
  readonly onPlaceTaken?: (request: ReceivedRequest) => () => void;
}

/** Starts a simulator; whoever starts it closes it. */
export async function startFakeUpstream(options: FakeUpstreamOptions = {}): Promise<FakeUpstream> {
  const host = options.host ?? '127.0.0.1';
  const world = createWorld(options.settings ?? {}, options.onAnswered, options.onPlaceTaken);
  const server = createServer((request, response) => void answerRequest(world, request, response));
  // Longer than any client keeps an idle connection: the simulator must not be the one that closes first.
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    log: world.log.entries,
    configure: world.configure,
    settings: world.settings,
    reset: world.reset,
    waitForRequest: world.log.waitFor,
    waitForAbort: (match, withinMs) =>
      world.log.waitFor((request) => request.abortedAtMs !== undefined && match(request), withinMs),
    addUserToken: ({ email, name } = {}) => world.identities.addUser(email, name),
    revokeToken: world.identities.revoke,
    issuedTokens: world.identities.issued,
    highestConcurrency: world.streams.highest,
    chats: world.chats.all,
    files: world.files.all,
    runningStreams: world.streams.total,
    close: () =>
      new Promise((resolve) => {
        world.log.close();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
