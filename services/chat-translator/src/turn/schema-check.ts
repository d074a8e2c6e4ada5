import type { SchemaCheck } from '@zai2api/dialects';
import { TurnError } from '@zai2api/turn';
import { Ajv, type Options, type ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { LRUCache } from 'lru-cache';
import { createVmTimeout } from './run-with-timeout.ts';

/** Agents send the same few schemas with every request; each is compiled once as long as it is used. */
const MAX_COMPILED = 200;
/** Larger ones are compiled every time rather than kept. */
const MAX_KEPT_CHARACTERS = 100_000;
/** How long the schemas of one request, or all checks of one answer, may hold up everything else. Far above what real ones take. */
const CHECK_MS = 500;
/** What each further schema of a request may take: five times what a usual one takes the first time, for the machine may be busy. */
const SCHEMA_MS = 20;
/** All schemas of a request together, however many. */
const MAX_SCHEMAS_MS = 4_000;
const UNCHECKED = ['the value cannot be checked against the schema'];

type JsonSchema = Readonly<Record<string, unknown>>;

const ajvOptions = { strict: false, allErrors: true, logger: false } satisfies Options;

/** A schema of a request, and where it stands. */
export interface AskedSchema {
  readonly schema: JsonSchema;
  readonly param: string;
}

/** What can be said of schemas and of values, always within a bounded time. */
export interface SchemaChecks {
  /** Throws a TurnError (400 `invalid_json_schema`) with the path of the first that is none, or that all of their time ends at. */
  assertAll(asked: readonly AskedSchema[]): void;
  /** The check for one answer. All of its calls share one time: what comes after its end cannot be checked. Throws for what is no schema. */
  forAnswer(): SchemaCheck;
}

/** Checks with a bounded store of compiled schemas. */
export function createSchemaChecks(): SchemaChecks {
  const compiled = new LRUCache<string, ValidateFunction>({ max: MAX_COMPILED });
  /** A request's own, however large: it is compiled once for the request and all of its answer. */
  const ofRequest = new WeakMap<JsonSchema, ValidateFunction>();
  const runWithTimeout = createVmTimeout();
  const drafts = createDrafts();

  function compile(schema: JsonSchema): ValidateFunction {
    const known = ofRequest.get(schema) ?? compileKept(schema);
    ofRequest.set(schema, known);
    return known;
  }

  function compileKept(schema: JsonSchema): ValidateFunction {
    const key = JSON.stringify(schema);
    const validate = compiled.get(key) ?? compileNew(schema, drafts);
    if (key.length <= MAX_KEPT_CHARACTERS) compiled.set(key, validate);
    return validate;
  }

  return {
    assertAll(asked) {
      if (asked.length === 0) return;
      let at = 0;
      try {
        runWithTimeout(
          () => {
            for (; at < asked.length; at += 1) compile(asked[at]?.schema ?? {});
          },
          Math.min(CHECK_MS + asked.length * SCHEMA_MS, MAX_SCHEMAS_MS),
        );
      } catch (cause) {
        throw invalidSchema(cause, asked[at]?.param);
      }
    },
    forAnswer() {
      let leftMs = CHECK_MS;
      function timed<T>(work: () => T): T {
        const startedAtMs = performance.now();
        try {
          return runWithTimeout(work, leftMs);
        } finally {
          leftMs -= performance.now() - startedAtMs;
        }
      }
      return (schema, value) => {
        if (leftMs <= 0) return UNCHECKED;
        let validate: ValidateFunction;
        try {
          validate = ofRequest.get(schema) ?? timed(() => compile(schema));
        } catch (cause) {
          throw invalidSchema(cause);
        }
        try {
          if (timed(() => validate(value))) return [];
        } catch {
          // Nested too deeply, or an expression that never ends.
          return UNCHECKED;
        }
        return (validate.errors ?? []).map(
          ({ instancePath, message }) => `${instancePath === '' ? 'the value' : instancePath} ${message ?? 'is wrong'}`,
        );
      };
    },
  };
}

function invalidSchema(cause: unknown, param?: string): TurnError {
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined;
  const isTooSlow = code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
  return new TurnError('invalid_request', `The JSON Schema ${isTooSlow ? 'takes too long to read' : 'is not valid'}.`, {
    layer: 'client',
    reason: 'invalid_json_schema',
    ...(param !== undefined && { param }),
    cause,
  });
}

/** One edition of JSON Schema. */
interface Draft {
  /** Throws unless the schema is one of this edition. */
  assert(schema: JsonSchema): void;
  /** An instance of its own for every schema: ids in one client's schema must not meet those of another's. */
  create(): Ajv | Ajv2020;
}

interface Drafts {
  readonly draft7: Draft;
  readonly draft2020: Draft;
}

/** Their own schemas take most of the time of a first compilation, so they are compiled here and once. */
function createDrafts(): Drafts {
  const bare = { ...ajvOptions, meta: false, validateSchema: false, code: { regExp: lenientRegExp } } satisfies Options;
  const create = (Dialect: typeof Ajv | typeof Ajv2020): Draft => {
    const meta = new Dialect(ajvOptions);
    void meta.validateSchema({});
    return {
      assert: (schema) => void meta.validateSchema(schema, true),
      create: () => new Dialect(bare),
    };
  };
  return { draft7: create(Ajv), draft2020: create(Ajv2020) };
}

function compileNew({ $schema, $async: _, ...schema }: JsonSchema, { draft7, draft2020 }: Drafts): ValidateFunction {
  const isOld = typeof $schema === 'string' && /draft-0\d/.test($schema);
  const [first, second] = isOld ? [draft7, draft2020] : [draft2020, draft7];
  try {
    return compileAs(first, schema);
  } catch {
    // Many schemas do not say what they are: a list of `items` is good in the older edition only.
    return compileAs(second, schema);
  }
}

function compileAs(draft: Draft, schema: JsonSchema): ValidateFunction {
  draft.assert(schema);
  const ajv = draft.create();
  addFormats.default(ajv);
  return ajv.compile(schema);
}

/** Patterns are often written for engines that take more than the strict syntax. */
const lenientRegExp = Object.assign(
  (pattern: string, flags: string): RegExp => {
    try {
      return new RegExp(pattern, flags);
    } catch {
      return new RegExp(pattern);
    }
  },
  { code: 'new RegExp' },
);
