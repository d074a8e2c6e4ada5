import { pino, type DestinationStream, type Logger, type LevelWithSilent } from 'pino';
import { prettyFactory } from 'pino-pretty';
import { hideSecrets, stripQuery } from './hide-secrets.ts';
import { serializeError } from './serialize-error.ts';
import { traceFields } from './telemetry/trace-fields.ts';

export type { Logger } from 'pino';

/** Who logs, from which level, and how a line looks. */
export interface LogSettings {
  readonly name: string;
  readonly level: LevelWithSilent;
  readonly format: 'auto' | 'json' | 'text';
}

const secretKeys = [
  'authorization',
  'Authorization',
  'cookie',
  'Cookie',
  'set-cookie',
  'Set-Cookie',
  'x-api-key',
  'X-Api-Key',
  'x-signature',
  'proxy-authorization',
  'token',
  'accessToken',
  'apiKey',
  'api_key',
  'password',
  'secret',
  'signingSecret',
];

/** Each secret key at the top and one and two levels down, the depth at which headers and credentials are logged by accident. */
const redactedPaths = secretKeys.flatMap((key) => [`["${key}"]`, `*["${key}"]`, `*.*["${key}"]`]);

/**
 * A pino logger that cannot print secrets: known keys are redacted, URLs lose their query strings, errors are reduced to what helps,
 * and each finished line is searched for bearer tokens and JWTs once more. Lines within a trace name it.
 */
export function createLogger({ name, level, format }: LogSettings, destination?: DestinationStream): Logger {
  const output = destination ?? pino.destination({ dest: 1, sync: true });
  return pino(
    {
      level,
      base: { service: name },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: redactedPaths, censor: '[redacted]' },
      serializers: {
        err: serializeError,
        error: serializeError,
        url: stripQuery,
        path: stripQuery,
        href: stripQuery,
        originalUrl: stripQuery,
      },
      hooks: { streamWrite: hideSecrets },
      mixin: traceFields,
    },
    isForPeople(format) ? readable(output) : output,
  );
}

function isForPeople(format: LogSettings['format']): boolean {
  return format === 'text' || (format === 'auto' && process.stdout.isTTY);
}

/** Turns each line of JSON into one for people before it is written. */
function readable(output: DestinationStream): DestinationStream {
  const toText = prettyFactory({ colorize: false, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l' });
  return { write: (line) => output.write(toText(line)) };
}
