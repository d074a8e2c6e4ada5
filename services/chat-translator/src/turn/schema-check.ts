import type { SchemaCheck } from '@zai2api/dialects';
import { TurnError } from '@zai2api/turn';
import { Ajv, type Options, type ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { createTimeLimit } from './limit-time.ts';

/** Agents send the same few schemas with every request; each is compiled once as long as it is used. */
const MAX_COMPILED = 200;
/** Larger ones are compiled every time rather than kept. */
const MAX_KEPT_CHARACTERS = 100_000;
/** How long one check may hold up everything else. Far above what real schemas take. */
const CHECK_MS = 500;

type JsonSchema = Readonly<Record<string, unknown>>;

const ajvOptions = { strict: false, allErrors: true, logger: false } satisfies Options;

/**
 * A check with a bounded store of compiled schemas and a bounded time for each. It throws a TurnError (400 `invalid_json_schema`) for a
 * schema that is none.
 */
export function createSchemaCheck(): SchemaCheck {
  const compiled = new Map<string, ValidateFunction>();
  const limited = createTimeLimit(CHECK_MS);
  const drafts = createDrafts();

  function compile(schema: JsonSchema): ValidateFunction {
    const key = JSON.stringify(schema);
    const known = compiled.get(key);
    const validate = known ?? compileNew(schema, drafts);
    if (key.length > MAX_KEPT_CHARACTERS) return validate;
    // Last used, last dropped.
    compiled.delete(key);
    compiled.set(key, validate);
    const oldest = compiled.keys().next().value;
    if (compiled.size > MAX_COMPILED && oldest !== undefined) compiled.delete(oldest);
    return validate;
  }

  return (schema, value) => {
    let validate: ValidateFunction;
    try {
      validate = limited(() => compile(schema));
    } catch (cause) {
      throw new TurnError('invalid_request', 'The JSON Schema is not valid.', {
        layer: 'client',
        reason: 'invalid_json_schema',
        cause,
      });
    }
    try {
      if (limited(() => validate(value))) return [];
    } catch {
      // Nested too deeply, or an expression that never ends.
      return ['the value cannot be checked against the schema'];
    }
    return (validate.errors ?? []).map(
      ({ instancePath, message }) => `${instancePath === '' ? 'the value' : instancePath} ${message ?? 'is wrong'}`,
    );
  };
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
