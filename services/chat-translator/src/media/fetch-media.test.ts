import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { MockAgent, type Dispatcher } from 'undici';
import { createMediaFetcher, type MediaFetcher, type MediaGuardOptions } from './fetch-media.ts';
import type { MediaFault } from './media-fault.ts';

const never = new AbortController().signal;
const publicAddress = '93.184.215.14';

/** What a host of the made-up internet answers. */
interface Page {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

interface World {
  readonly fetch: MediaFetcher;
  /** The addresses of every connection that would have been made. */
  readonly connected: (readonly string[])[];
  /** The names that were looked up. */
  readonly resolved: string[];
}

/** A fetcher whose names and hosts are tables. A name with several answers gives them one after the other. */
function createWorld(
  names: Readonly<Record<string, readonly (readonly string[])[]>> = {},
  pages: Readonly<Record<string, Page>> = {},
  options: Partial<MediaGuardOptions> = {},
): World {
  const connected: (readonly string[])[] = [];
  const resolved: string[] = [];
  const fetch = createMediaFetcher({
    allowHttp: true,
    resolve: async (name) => {
      const answers = names[name] ?? [[publicAddress]];
      resolved.push(name);
      return answers[Math.min(resolved.filter((each) => each === name).length, answers.length) - 1] ?? [];
    },
    createDispatcher: (addresses) => {
      connected.push(addresses);
      return createPages(pages);
    },
    ...options,
  });
  return { fetch, connected, resolved };
}

function createPages(pages: Readonly<Record<string, Page>>): Dispatcher {
  const agent = Object.assign(new MockAgent(), { destroy: () => Promise.resolve() });
  agent.disableNetConnect();
  for (const [address, { status = 200, headers = {}, body = 'the file' }] of Object.entries(pages)) {
    const { origin, pathname } = new URL(address);
    agent.get(origin).intercept({ path: pathname }).reply(status, body, { headers });
  }
  return agent;
}

const faultOf = (fetching: Promise<unknown>): Promise<Pick<MediaFault, 'kind' | 'message'>> =>
  fetching.then(
    () => ({ kind: 'none' as never, message: 'fetched' }),
    (reason: unknown) => reason as MediaFault,
  );

/** Everything that may not be asked for, as a client would write it. */
const refusedUrls: readonly string[] = [
  // Not the web.
  'ftp://files.example/a.png',
  'file:///etc/passwd',
  'gopher://files.example/',
  'data:image/png;base64,AAAA',
  'javascript:alert(1)',
  'ws://files.example/',
  'blob:https://files.example/1',
  // Users and passwords, real or to mislead.
  'https://user@files.example/',
  'https://user:secret@files.example/',
  'https://:secret@files.example/',
  'https://files.example:443@127.0.0.1/',
  // Ports that are not for the web.
  'http://files.example:22/',
  'http://files.example:6379/',
  'https://files.example:8443/',
  'https://files.example:0/',
  // The machine itself, in every spelling.
  'http://127.0.0.1/',
  'http://127.0.0.1./',
  'http://127.1/',
  'http://127.255.255.254/',
  'http://2130706433/',
  'http://017700000001/',
  'http://0177.0.0.1/',
  'http://0x7f000001/',
  'http://0x7f.0.0.1/',
  'http://0x7f.1/',
  'http://①②⑦.⓪.⓪.①/',
  'http://%31%32%37.0.0.1/',
  'http:\\\\127.0.0.1\\',
  'http:127.0.0.1/',
  'http:////127.0.0.1/',
  'http://0.0.0.0/',
  'http://0/',
  'http://[::]/',
  'http://[::1]/',
  'http://[0:0:0:0:0:0:0:1]/',
  'http://[::ffff:127.0.0.1]/',
  'http://[::ffff:7f00:1]/',
  'http://[::127.0.0.1]/',
  'http://[::7f00:1]/',
  'http://[::ffff:0:127.0.0.1]/',
  // Names that are never public.
  'http://localhost/',
  'http://localhost./',
  'http://LOCALHOST/',
  'http://ⓛocalhost/',
  'http://api.localhost/',
  'http://redis/',
  'http://redis./',
  'http://kubernetes.default.svc.cluster.local/',
  'http://metadata.google.internal/computeMetadata/v1/',
  'http://metadata.google.internal./',
  'http://printer.lan/',
  'http://1.0.0.127.in-addr.arpa/',
  'http://files..example/',
  'http://files.example../',
  'http://./',
  // Metadata services.
  'http://169.254.169.254/latest/meta-data/',
  'http://2852039166/',
  'http://0xa9fea9fe/',
  'http://[::ffff:169.254.169.254]/',
  'http://[::ffff:a9fe:a9fe]/',
  'http://169.254.170.2/v2/credentials/',
  'http://100.100.100.200/latest/meta-data/',
  'http://168.63.129.16/machine/',
  'http://192.0.0.192/opc/v1/',
  'http://[fd00:ec2::254]/latest/meta-data/',
  // Private networks.
  'http://10.0.0.1/',
  'http://10.255.255.255/',
  'http://172.16.0.1/',
  'http://172.31.255.255/',
  'http://192.168.0.1/',
  'http://100.64.0.1/',
  'http://100.127.255.255/',
  'http://[fc00::1]/',
  'http://[fdff::1]/',
  'http://[fe80::1]/',
  'http://[fe80::1%25eth0]/',
  'http://[fec0::1]/',
  // An IPv4 address behind an IPv6 one.
  'http://[64:ff9b::127.0.0.1]/',
  'http://[64:ff9b::a00:1]/',
  'http://[64:ff9b:1::a00:1]/',
  'http://[2002:7f00:1::]/',
  'http://[2002:a00:1::1]/',
  'http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/',
  // Not for single hosts, or not for anybody.
  'http://169.254.0.1/',
  'http://192.0.0.1/',
  'http://192.0.2.1/',
  'http://192.88.99.1/',
  'http://198.18.0.1/',
  'http://198.19.255.255/',
  'http://198.51.100.1/',
  'http://203.0.113.1/',
  'http://224.0.0.1/',
  'http://239.255.255.250/',
  'http://240.0.0.1/',
  'http://255.255.255.255/',
  'http://[100::1]/',
  'http://[2001:2::1]/',
  'http://[2001:db8::1]/',
  'http://[3fff::1]/',
  'http://[4000::1]/',
  'http://[5f00::1]/',
  'http://[ff02::1]/',
];

/** What a name server may answer to get us somewhere else. */
const refusedAnswers: readonly (readonly string[])[] = [
  [],
  ['127.0.0.1'],
  ['10.1.2.3'],
  ['169.254.169.254'],
  ['::1'],
  ['fd00::1'],
  ['fe80::1%eth0'],
  ['::ffff:10.0.0.1'],
  ['64:ff9b::7f00:1'],
  ['2002:7f00:1::1'],
  ['0.0.0.0'],
  ['2130706433'],
  ['0x7f.1'],
  ['0177.0.0.1'],
  ['not an address'],
  // One good one among them is no excuse.
  [publicAddress, '127.0.0.1'],
  ['192.168.1.1', publicAddress],
  [publicAddress, '::1'],
];

describe('the guard', () => {
  // As a redirect these would mean something on the host that sent it.
  it.each([...refusedUrls, '//files.example/a.png', 'files.example/a.png', ''])(
    'makes no connection for %s',
    async (url) => {
      const { fetch, connected, resolved } = createWorld();
      expect((await faultOf(fetch(url, 100, never))).kind).toBe('unreachable');
      expect([connected, resolved]).toEqual([[], []]);
    },
  );

  it.each(refusedUrls)('makes no connection for a redirect to %s', async (location) => {
    const page = { status: 302, headers: { location } };
    const { fetch, connected } = createWorld({}, { 'https://files.example/a.png': page });
    expect((await faultOf(fetch('https://files.example/a.png', 100, never))).kind).toBe('unreachable');
    expect(connected).toEqual([[publicAddress]]);
  });

  it.each(refusedAnswers.map((answer) => ({ answer })))(
    'makes no connection for a name that is $answer',
    async ({ answer }) => {
      const { fetch, connected, resolved } = createWorld({ 'files.example': [answer] });
      expect((await faultOf(fetch('https://files.example/', 100, never))).kind).toBe('unreachable');
      expect([connected, resolved]).toEqual([[], ['files.example']]);
    },
  );

  it('asks for a name once and connects to that answer, so that the next one changes nothing', async () => {
    const { fetch, connected, resolved } = createWorld(
      { 'rebinding.example': [[publicAddress], ['127.0.0.1']] },
      { 'https://rebinding.example/': {} },
    );
    expect(Buffer.from(await fetch('https://rebinding.example/', 100, never)).toString()).toBe('the file');
    expect([connected, resolved]).toEqual([[[publicAddress]], ['rebinding.example']]);
  });

  it('checks a name anew at every hop', async () => {
    const { fetch, connected } = createWorld(
      { 'rebinding.example': [[publicAddress], ['127.0.0.1']] },
      { 'https://rebinding.example/': { status: 307, headers: { location: '/again' } } },
    );
    expect((await faultOf(fetch('https://rebinding.example/', 100, never))).kind).toBe('unreachable');
    expect(connected).toEqual([[publicAddress]]);
  });

  it('takes https alone unless told otherwise', async () => {
    const pages = {
      'http://files.example/': {},
      'https://files.example/': { status: 301, headers: { location: 'http://files.example/' } },
    };
    const strict = createWorld({}, pages, { allowHttp: false });
    expect((await faultOf(strict.fetch('http://files.example/', 100, never))).kind).toBe('unreachable');
    expect(strict.connected).toEqual([]);
    expect((await faultOf(strict.fetch('https://files.example/', 100, never))).kind).toBe('unreachable');
    expect(strict.connected).toHaveLength(1);
    await expect(createWorld({}, pages).fetch('https://files.example/', 100, never)).resolves.toHaveLength(8);
  });

  it('says the same of all that is refused or silent', async () => {
    const refused = await faultOf(createWorld().fetch('http://10.0.0.1:443/secret?key=1', 100, never));
    const { fetch } = createWorld({}, {}, { resolve: () => Promise.reject(new Error('no such host 10.0.0.1')) });
    const unknown = await faultOf(fetch('http://files.example/secret?key=1', 100, never));
    expect([refused.kind, unknown.kind]).toEqual(['unreachable', 'unreachable']);
    expect(refused.message + unknown.message).not.toMatch(/10\.0|secret|key|files\.example/);
  });
});

describe('fetching', () => {
  const redirect = (location: string, status = 302): Page => ({ status, headers: { location } });

  it.each([301, 302, 303, 307, 308])('follows a %i', async (status) => {
    const pages = { 'https://a.example/': redirect('https://b.example/x', status), 'https://b.example/x': {} };
    const { fetch, resolved } = createWorld({}, pages);
    await expect(fetch('https://a.example/', 100, never)).resolves.toHaveLength(8);
    expect(resolved).toEqual(['a.example', 'b.example']);
  });

  it('follows three redirects and no fourth', async () => {
    const pages = {
      'https://a.example/1': redirect('/2'),
      'https://a.example/2': redirect('/3'),
      'https://a.example/3': redirect('/4'),
      'https://a.example/4': redirect('/5'),
      'https://a.example/5': {},
    };
    await expect(createWorld({}, pages).fetch('https://a.example/2', 100, never)).resolves.toHaveLength(8);
    const { fetch, connected } = createWorld({}, pages);
    expect((await faultOf(fetch('https://a.example/1', 100, never))).kind).toBe('unreachable');
    expect(connected).toHaveLength(4);
  });

  it.each<[string, Page, string]>([
    ['page with another status', { status: 404 }, 'unreachable'],
    ['redirect to nowhere', { status: 302 }, 'unreachable'],
    ['compressed answer', { headers: { 'content-encoding': 'gzip' } }, 'unreachable'],
    [
      'an answer that says it is too large',
      { headers: { 'content-length': '101' }, body: 'x'.repeat(101) },
      'too-large',
    ],
    ['file that is too large without saying so', { body: 'x'.repeat(101) }, 'too-large'],
  ])('takes no %s', async (_what, page, kind) => {
    const { fetch } = createWorld({}, { 'https://a.example/': page });
    expect((await faultOf(fetch('https://a.example/', 100, never))).kind).toBe(kind);
  });

  it('takes what is just small enough, and the dot of an absolute name away', async () => {
    const { fetch, resolved } = createWorld({}, { 'https://a.example/': { body: 'x'.repeat(100) } });
    await expect(fetch('https://a.example./', 100, never)).resolves.toHaveLength(100);
    expect(resolved).toEqual(['a.example']);
  });

  it('ends with its signal while the name server is silent', async () => {
    const leaving = new AbortController();
    const { fetch } = createWorld({}, {}, { resolve: () => new Promise(() => undefined) });
    const fault = faultOf(fetch('https://a.example/', 100, leaving.signal));
    leaving.abort();
    expect((await fault).kind).toBe('unreachable');
  });
});

describe('a connection', () => {
  const servers: { close(): unknown; closeAllConnections?(): void }[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections?.();
      server.close();
    }
  });

  async function serve(listener: RequestListener): Promise<number> {
    const server: Server = createServer(listener);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  }

  const loopback = (port: number): MediaFetcher =>
    createMediaFetcher({
      allowHttp: true,
      permittedNetworks: ['127.0.0.0/8'],
      permittedPorts: [port],
      resolve: async () => ['127.0.0.1'],
    });

  it('goes to the checked address under the asked-for name, without cookies or credentials', async () => {
    let headers: NodeJS.Dict<string | string[]> = {};
    const port = await serve((request, response) => {
      headers = request.headers;
      response.end('the file');
    });
    const bytes = await loopback(port)(`http://files.example:${port}/a.png?x=1#y`, 100, never);
    expect(Buffer.from(bytes).toString()).toBe('the file');
    expect(headers['host']).toBe(`files.example:${port}`);
    expect(Object.keys(headers).sort()).toEqual(['accept', 'accept-encoding', 'connection', 'host', 'user-agent']);
  });

  it('is cut as soon as the answer is too large', async () => {
    const cut = Promise.withResolvers<undefined>();
    const port = await serve((_request, response) => {
      response.on('close', () => cut.resolve(undefined));
      const write = (): void => {
        while (!response.destroyed && response.write('x'.repeat(1000)));
        response.once('drain', write);
      };
      write();
    });
    expect((await faultOf(loopback(port)(`http://files.example:${port}/`, 5_000, never))).kind).toBe('too-large');
    await cut.promise;
  });

  it('ends with its signal', async () => {
    const asked = Promise.withResolvers<undefined>();
    const port = await serve(() => asked.resolve(undefined));
    const leaving = new AbortController();
    const fault = faultOf(loopback(port)(`http://files.example:${port}/`, 100, leaving.signal));
    await asked.promise;
    leaving.abort();
    expect((await fault).kind).toBe('unreachable');
  });

  it('keeps the name in the TLS handshake', async () => {
    const hello = Promise.withResolvers<string>();
    const server = createTcpServer((socket) => {
      socket.once('data', (bytes) => {
        hello.resolve(bytes.toString('latin1'));
        socket.destroy();
      });
      socket.on('error', () => undefined);
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    expect((await faultOf(loopback(port)(`https://files.example:${port}/`, 100, never))).kind).toBe('unreachable');
    expect(await hello.promise).toContain('files.example');
  });

  it('to loopback is refused without the exception of the tests', async () => {
    const port = await serve((_request, response) => response.end('secret'));
    const fetch = createMediaFetcher({ allowHttp: true, permittedPorts: [port] });
    for (const host of ['127.0.0.1', 'localhost', '[::1]', '[::ffff:127.0.0.1]']) {
      expect((await faultOf(fetch(`http://${host}:${port}/`, 100, never))).kind).toBe('unreachable');
    }
  });
});
