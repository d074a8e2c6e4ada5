import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startRedisProcess, type RedisProcess } from './redis-process.ts';
import { redisAccess, type RedisAccess } from './start-redis.ts';

/** A Redis that speaks TLS only, wants a certificate from its clients, and lets a single ACL user in. */
export interface TlsRedis extends RedisAccess, AsyncDisposable {
  readonly server: RedisProcess;
  close(): Promise<void>;
}

const run = promisify(execFile);
const username = 'zai2api';
const password = 'acl-test-password';

/** What the product's user may do: as docs/redis.md says it, for keys that begin with a pattern. */
const aclRulesOf = (prefix: string): string =>
  `~{${prefix}:credentials}:* &{${prefix}:credentials}:* +@connection +@read +@write +@scripting +@pubsub +info +time -@dangerous +info`;

/** Makes an authority with openssl and starts the server with a certificate of it. */
export async function startTlsRedis(env: Readonly<Record<string, string>> = {}): Promise<TlsRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'zai2api-tls-'));
  const file = (name: string): string => join(folder, name);
  await makeCertificates(folder);
  const variables = {
    REDIS_TLS_CA_FILE: file('ca.crt'),
    REDIS_TLS_CERT_FILE: file('client.crt'),
    REDIS_TLS_KEY_FILE: file('client.key'),
    REDIS_USERNAME: username,
    REDIS_PASSWORD: password,
    ...env,
  };
  const server = await startRedisProcess({
    usesTls: true,
    config: [
      `tls-cert-file ${file('server.crt')}`,
      `tls-key-file ${file('server.key')}`,
      `tls-ca-cert-file ${file('ca.crt')}`,
      'user default off',
      `user ${username} on >${password} ${aclRulesOf('test-*')}`,
    ],
  });
  const close = async (): Promise<void> => {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  };
  const access = redisAccess({ REDIS_URL: `rediss://127.0.0.1:${server.port}`, ...variables });
  return { ...access, server, close, [Symbol.asyncDispose]: close };
}

async function makeCertificates(folder: string): Promise<void> {
  const openssl = (...args: string[]): Promise<unknown> => run('openssl', args, { cwd: folder });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await openssl('req', '-x509', ...newKey, '-keyout', 'ca.key', '-out', 'ca.crt', '-subj', '/CN=test CA', '-days', '2');
  await writeFile(join(folder, 'san'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
  for (const name of ['server', 'client']) {
    await openssl('req', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    const sign = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'san', '-days', '2'];
    await openssl('x509', '-req', '-in', `${name}.csr`, ...sign, '-out', `${name}.crt`);
  }
}
