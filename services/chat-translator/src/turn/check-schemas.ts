import type { SchemaCheck } from '@zai2api/dialects';
import { TurnError, type TurnRequest } from '@zai2api/turn';

/**
 * Refuses, before anything is asked of the upstream, a request whose answer could not be checked: the TurnError of the check with the
 * path of the schema that is none (contract 1.5). Schemas of tools that are not strict are only told to the model.
 */
export function checkSchemas({ responseFormat, tools }: TurnRequest, checkSchema: SchemaCheck): void {
  if (responseFormat.type === 'json-schema') {
    const { schema, param = 'response_format.json_schema.schema' } = responseFormat;
    assertSchema(schema, checkSchema, param);
  }
  for (const { strict, parameters, param = 'tools' } of tools) {
    if (strict) assertSchema(parameters, checkSchema, param);
  }
}

function assertSchema(schema: Readonly<Record<string, unknown>>, checkSchema: SchemaCheck, param: string): void {
  try {
    // What it says about the value is of no interest: it throws when it cannot say anything.
    checkSchema(schema, {});
  } catch (reason) {
    const { code, message, details } = TurnError.from(reason);
    throw new TurnError(code, message, { ...details, param });
  }
}
