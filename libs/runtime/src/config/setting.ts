import { z } from 'zod';
import { Secret } from './secret.ts';

/** What the documentation and the faults say about one setting; found on a schema by `.meta()`. */
export interface SettingDescription {
  readonly description: string;
  /** The default as the documentation shows it; `unset` where there is none. */
  readonly defaultText: string;
  /** True when the value must never be shown. */
  readonly secret?: boolean;
}

type Setting<T> = z.ZodType<T, string | undefined>;

interface Definition<T> {
  readonly accepts: z.ZodType<T, string>;
  /** Completes the sentence "expected ..." of a fault. */
  readonly expected: string;
  readonly fallback: T;
  readonly defaultText: string;
  readonly description: string;
  readonly secret?: boolean;
}

/** Longer values are cut in a fault, so that one bad variable does not hide the others. */
const MAX_SHOWN_LENGTH = 80;

function define<T>(definition: Definition<T>): Setting<T> {
  const { accepts, expected, fallback, description, defaultText, secret = false } = definition;
  return z
    .string()
    .optional()
    .transform((raw, context): T => {
      const text = raw?.trim() ?? '';
      if (text === '') return fallback;
      const parsed = accepts.safeParse(text);
      if (parsed.success) return parsed.data;
      // A value with an @ may be a URL with a password in it.
      const shown = secret || text.includes('@') ? '' : `, got "${text.slice(0, MAX_SHOWN_LENGTH)}"`;
      context.addIssue({ code: 'custom', message: `expected ${expected}${shown}`, input: raw });
      return z.NEVER;
    })
    .meta({ description, defaultText, secret } satisfies SettingDescription);
}

function expectedNumber(noun: string, min: number, max: number): string {
  if (max === Number.MAX_SAFE_INTEGER) return `${noun} from ${min} up`;
  return `${noun} from ${min} to ${max}`;
}

interface Described {
  readonly description: string;
}

interface WithDefault<T> extends Described {
  readonly default: T;
}

interface WithRange extends WithDefault<number> {
  readonly min?: number;
  readonly max?: number;
}

interface SecretOptions extends Described {
  readonly default?: string;
  /** Shown in the documentation instead of the default. */
  readonly defaultText?: string;
}

function secret(options: SecretOptions & { readonly default: string }): Setting<Secret>;
function secret(options: SecretOptions): Setting<Secret | undefined>;
function secret({ default: fallback, defaultText, description }: SecretOptions): Setting<Secret | undefined> {
  return define<Secret | undefined>({
    accepts: z.string().transform((text) => new Secret(text)),
    expected: 'a text',
    fallback: fallback === undefined ? undefined : new Secret(fallback),
    defaultText: defaultText ?? (fallback === undefined ? 'unset' : 'built in'),
    description,
    secret: true,
  });
}

interface ChoiceOptions<T extends string> extends WithDefault<T> {
  readonly values: readonly [T, ...T[]];
  /** Other spellings that are understood; gets the value in lower case. */
  readonly alias?: (text: string) => T | undefined;
}

const splitList = (text: string): string[] =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');

const BOOLEAN_WORDS = 'true or false (also 1, yes, on, 0, no, off)';

/**
 * One builder per kind of setting. Each gives a schema that reads the text of an environment variable: unset or empty is the default,
 * anything else is checked, and the fault names what was expected.
 */
export const setting = {
  text: ({ default: fallback, description }: WithDefault<string>): Setting<string> =>
    define({ accepts: z.string(), expected: 'a text', fallback, defaultText: fallback, description }),

  optionalText: ({ description }: Described): Setting<string | undefined> =>
    define<string | undefined>({
      accepts: z.string(),
      expected: 'a text',
      fallback: undefined,
      defaultText: 'unset',
      description,
    }),

  secret,

  boolean: ({ default: fallback, description }: WithDefault<boolean>): Setting<boolean> =>
    define({ accepts: z.stringbool(), expected: BOOLEAN_WORDS, fallback, defaultText: String(fallback), description }),

  optionalBoolean: ({ description }: Described): Setting<boolean | undefined> =>
    define<boolean | undefined>({
      accepts: z.stringbool(),
      expected: BOOLEAN_WORDS,
      fallback: undefined,
      defaultText: 'unset',
      description,
    }),

  integer: ({ default: fallback, min = 0, max = Number.MAX_SAFE_INTEGER, description }: WithRange): Setting<number> =>
    define({
      accepts: z
        .string()
        .regex(/^[+-]?\d+$/)
        .transform(Number)
        .pipe(z.int().min(min).max(max)),
      expected: expectedNumber('an integer', min, max),
      fallback,
      defaultText: String(fallback),
      description,
    }),

  /** A time in seconds, which may be fractional. */
  seconds: ({ default: fallback, min = 0, max = 86_400, description }: WithRange): Setting<number> =>
    define({
      accepts: z
        .string()
        .regex(/^\d+(\.\d+)?$/)
        .transform(Number)
        .pipe(z.number().min(min).max(max)),
      expected: expectedNumber('seconds', min, max),
      fallback,
      defaultText: String(fallback),
      description,
    }),

  /** An absolute http or https URL, given back without a trailing slash. */
  url: ({ default: fallback, description }: WithDefault<string>): Setting<string> =>
    define({
      accepts: z.url({ protocol: /^https?$/ }).transform((text) => text.replace(/\/+$/, '')),
      expected: 'an http or https URL',
      fallback,
      defaultText: fallback,
      description,
    }),

  /** At least one absolute http or https URL, comma separated; each without a trailing slash. */
  urls: ({ default: fallback, description }: WithDefault<readonly string[]>): Setting<readonly string[]> =>
    define<readonly string[]>({
      accepts: z
        .string()
        .transform((text) => splitList(text).map((url) => url.replace(/\/+$/, '')))
        .pipe(z.array(z.url({ protocol: /^https?$/ })).min(1)),
      expected: 'http or https URLs, comma separated',
      fallback,
      defaultText: fallback.join(','),
      description,
    }),

  /** Comma separated; blanks round the items and empty items are dropped. */
  list: ({ default: fallback, description }: WithDefault<readonly string[]>): Setting<readonly string[]> =>
    define<readonly string[]>({
      accepts: z.string().transform(splitList),
      expected: 'a comma separated list',
      fallback,
      defaultText: fallback.length === 0 ? 'unset' : fallback.join(','),
      description,
    }),

  /** One of the given words, in any case. */
  choice: <const T extends string>({ values, default: fallback, alias, description }: ChoiceOptions<T>): Setting<T> =>
    define<T>({
      accepts: z.string().transform((text, context): T => {
        const word = text.toLowerCase();
        const value = values.find((candidate) => candidate.toLowerCase() === word) ?? alias?.(word);
        if (value !== undefined) return value;
        context.addIssue({ code: 'custom', message: 'unknown word', input: text });
        return z.NEVER;
      }),
      expected: `one of ${values.join(', ')}`,
      fallback,
      defaultText: fallback,
      description,
    }),
};
