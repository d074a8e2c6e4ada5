/** A Redis server of the test's own, which may be treated badly: a process of this machine or a container. */
export interface RedisProcess extends AsyncDisposable {
  /** On the loopback address; stays the same over restarts. */
  readonly port: number;
  /** What `redis-cli` prints for these arguments, run beside the server; `-p` and TLS files are the caller's to name. */
  cli(...args: string[]): Promise<string>;
  /** Keeps its connections and answers nothing. */
  freeze(): Promise<void>;
  resume(): Promise<void>;
  /** Ends it the hard way; resolves when it is gone. */
  kill(): Promise<void>;
  /** Starts it again on its port, without what was in it; ends it first when it runs. */
  restart(): Promise<void>;
  /** Ends it and removes what it left. Idempotent. */
  close(): Promise<void>;
}

export interface RedisProcessOptions {
  /** Lines of its configuration file, on top of those for its port and folder. */
  readonly config?: readonly string[] | ((port: number) => readonly string[] | Promise<readonly string[]>);
  /** Runs as a Sentinel. */
  readonly isSentinel?: boolean;
  /** The port is for TLS. */
  readonly usesTls?: boolean;
  /** It speaks to other servers on the loopback address of this machine. */
  readonly hasPeers?: boolean;
  /** Folders of this machine whose files its configuration names. */
  readonly folders?: readonly string[];
}

/** How long a server may take until it accepts connections. */
export const REDIS_START_DEADLINE_MS = 20_000;

/** What the log says when connections are accepted. */
export const redisIsReady = /Ready to accept connections|Sentinel ID is/;

/** The text of a configuration file: nothing is kept on disk. */
export async function redisConfigFile(
  { config = [], usesTls = false }: RedisProcessOptions,
  { port, folder, bind }: { port: number; folder: string; bind: string },
): Promise<string> {
  const own = typeof config === 'function' ? await config(port) : config;
  const lines = [
    `bind ${bind}`,
    'protected-mode no',
    ...(usesTls ? ['port 0', `tls-port ${port}`] : [`port ${port}`]),
    `dir ${folder}`,
    'daemonize no',
    'save ""',
    'appendonly no',
    ...own,
  ];
  return `${lines.join('\n')}\n`;
}
