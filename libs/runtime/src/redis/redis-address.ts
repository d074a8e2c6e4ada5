import { ConfigError } from '../config/config-error.ts';
import type { RedisSettings } from './redis-settings.ts';

/** A host and its port. */
export interface RedisNode {
  readonly host: string;
  readonly port: number;
}

/** Where Redis is, by the way it is run. Holds secrets: never logged. */
export type RedisAddress = {
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly usesTls: boolean;
} & (
  | { readonly kind: 'single'; readonly node: RedisNode; readonly database: number }
  | { readonly kind: 'sentinel'; readonly sentinels: readonly RedisNode[]; readonly name: string }
  | { readonly kind: 'cluster'; readonly nodes: readonly RedisNode[] }
);

const DEFAULT_PORT = 6379;
const DEFAULT_SENTINEL_PORT = 26_379;

/** Throws one ConfigError with everything that is wrong; none of its faults shows a URL or a password. */
export function redisAddressOf(settings: RedisSettings): RedisAddress {
  const faults: string[] = [];
  const { REDIS_URL: url, REDIS_SENTINELS: sentinels, REDIS_CLUSTER_NODES: clusterNodes } = settings;
  const given = [
    url && 'REDIS_URL',
    sentinels.length > 0 && 'REDIS_SENTINELS',
    clusterNodes.length > 0 && 'REDIS_CLUSTER_NODES',
  ].filter((name) => typeof name === 'string');
  if (given.length !== 1) {
    faults.push(
      given.length === 0
        ? 'REDIS_URL: no Redis is configured (REDIS_URL, REDIS_SENTINELS or REDIS_CLUSTER_NODES)'
        : `${given.join(', ')}: expected only one of them`,
    );
  }
  if (!/^[\w.:-]+$/.test(settings.REDIS_KEY_PREFIX)) {
    faults.push('REDIS_KEY_PREFIX: expected letters, digits and . : _ - only');
  }
  if ((settings.REDIS_TLS_CERT_FILE === undefined) !== (settings.REDIS_TLS_KEY_FILE === undefined)) {
    faults.push('REDIS_TLS_CERT_FILE, REDIS_TLS_KEY_FILE: expected both or neither');
  }

  const parsed = url === undefined ? undefined : parseUrl(url.reveal());
  if (url !== undefined && parsed === undefined) {
    faults.push('REDIS_URL: expected redis:// or rediss:// with host, and optionally user, password, port, /database');
  }
  const parseNodes = (name: string, texts: readonly string[], defaultPort: number): RedisNode[] =>
    texts.flatMap((text) => {
      const node = parseNode(text, defaultPort);
      if (node === undefined) faults.push(`${name}: expected host:port, comma separated`);
      return node ?? [];
    });
  const sentinelNodes = parseNodes('REDIS_SENTINELS', sentinels, DEFAULT_SENTINEL_PORT);
  const nodes = parseNodes('REDIS_CLUSTER_NODES', clusterNodes, DEFAULT_PORT);
  if (faults.length > 0) throw new ConfigError(faults);

  const common = {
    username: settings.REDIS_USERNAME ?? parsed?.username,
    password: settings.REDIS_PASSWORD?.reveal() ?? parsed?.password,
    usesTls: settings.REDIS_TLS || parsed?.usesTls === true,
  };
  if (parsed) return { ...common, kind: 'single', node: parsed.node, database: parsed.database };
  if (nodes.length > 0) return { ...common, kind: 'cluster', nodes };
  return { ...common, kind: 'sentinel', sentinels: sentinelNodes, name: settings.REDIS_SENTINEL_NAME };
}

interface ParsedUrl {
  readonly node: RedisNode;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly database: number;
  readonly usesTls: boolean;
}

function parseUrl(text: string): ParsedUrl | undefined {
  const url = URL.parse(text);
  if (url === null || !/^rediss?:$/.test(url.protocol) || url.hostname === '') return undefined;
  const [, database = '0'] = /^\/?(\d*)$/.exec(url.pathname) ?? [];
  if (!/^\/?\d*$/.test(url.pathname)) return undefined;
  return {
    node: { host: bareHost(url.hostname), port: url.port === '' ? DEFAULT_PORT : Number(url.port) },
    username: url.username === '' ? undefined : decodeURIComponent(url.username),
    password: url.password === '' ? undefined : decodeURIComponent(url.password),
    database: Number(database),
    usesTls: url.protocol === 'rediss:',
  };
}

function parseNode(text: string, defaultPort: number): RedisNode | undefined {
  const url = /[/@?#]/.test(text) ? null : URL.parse(`redis://${text}`);
  if (url === null || url.hostname === '') return undefined;
  return { host: bareHost(url.hostname), port: url.port === '' ? defaultPort : Number(url.port) };
}

const bareHost = (hostname: string): string => hostname.replace(/^\[(.*)\]$/, '$1');
