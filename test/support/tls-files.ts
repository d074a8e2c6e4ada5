import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** An authority and certificates of it for a server and a client on this machine. */
export interface TlsFiles {
  readonly folder: string;
  /** Lines of a Redis configuration: TLS for everything, with client certificates. */
  readonly redisConfig: readonly string[];
  /** Arguments of redis-cli. */
  readonly cliArguments: readonly string[];
  /** Variables of the product. */
  readonly env: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

const run = promisify(execFile);

/** Makes them with openssl, in a folder that is gone after `close`. */
export async function createTlsFiles(): Promise<TlsFiles> {
  const folder = await mkdtemp(join(tmpdir(), 'zai2api-tls-'));
  const file = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): Promise<unknown> => run('openssl', args, { cwd: folder });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await openssl('req', '-x509', ...newKey, '-keyout', 'ca.key', '-out', 'ca.crt', '-subj', '/CN=test CA', '-days', '2');
  await writeFile(file('names'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
  for (const name of ['server', 'client']) {
    await openssl('req', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    const sign = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'names', '-days', '2'];
    await openssl('x509', '-req', '-in', `${name}.csr`, ...sign, '-out', `${name}.crt`);
  }
  return {
    folder,
    redisConfig: [
      `tls-cert-file ${file('server.crt')}`,
      `tls-key-file ${file('server.key')}`,
      `tls-ca-cert-file ${file('ca.crt')}`,
      'tls-replication yes',
      'tls-cluster yes',
    ],
    cliArguments: [
      ...['--tls', '--cacert', file('ca.crt')],
      ...['--cert', file('client.crt'), '--key', file('client.key')],
    ],
    env: {
      REDIS_TLS: 'true',
      REDIS_TLS_CA_FILE: file('ca.crt'),
      REDIS_TLS_CERT_FILE: file('client.crt'),
      REDIS_TLS_KEY_FILE: file('client.key'),
    },
    close: () => rm(folder, { recursive: true, force: true }),
  };
}
