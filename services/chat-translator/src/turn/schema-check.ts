import type { SchemaCheck } from '@zai2api/dialects';
import { TurnError } from '@zai2api/turn';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

/** Agents send the same few schemas with every request; each is compiled once as long as it is used. */
const MAX_COMPILED = 200;

/** A check with a bounded store of compiled schemas. `check` throws a TurnError (400 `invalid_json_schema`) for a schema that is none. */
export function createSchemaCheck(): SchemaCheck {
  const compiled = new Map<string, ValidateFunction>();

  function compile(schema: Readonly<Record<string, unknown>>): ValidateFunction {
    const key = JSON.stringify(schema);
    const known = compiled.get(key);
    // Last used, last dropped.
    compiled.delete(key);
    const validate = known ?? compileNew(schema);
    compiled.set(key, validate);
    const oldest = compiled.keys().next().value;
    if (compiled.size > MAX_COMPILED && oldest !== undefined) compiled.delete(oldest);
    return validate;
  }

  return (schema, value) => {
    const validate = compile(schema);
    if (validate(value)) return [];
    return (validate.errors ?? []).map(
      ({ instancePath, message }) => `${instancePath === '' ? 'the value' : instancePath} ${message ?? 'is wrong'}`,
    );
  };
}

function compileNew(schema: Readonly<Record<string, unknown>>): ValidateFunction {
  // An instance of its own: ids in one client's schema must not meet those of another's.
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: true, logger: false });
  addFormats.default(ajv);
  try {
    const { $schema: _dialect, ...rest } = schema;
    return ajv.compile(rest);
  } catch (cause) {
    throw new TurnError('invalid_request', 'The JSON Schema is not valid.', {
      layer: 'client',
      reason: 'invalid_json_schema',
      cause,
    });
  }
}
