import type { TurnRequest } from '@zai2api/turn';
import type { AskedSchema, SchemaChecks } from './schema-check.ts';

/**
 * Refuses, before anything is asked of the upstream, a request whose answer could not be checked: the TurnError of the check with the
 * path of the schema that is none (contract 1.5). Schemas of tools that are not strict are only told to the model.
 */
export function checkSchemas({ responseFormat, tools }: TurnRequest, schemas: Pick<SchemaChecks, 'assertAll'>): void {
  const asked: AskedSchema[] = [];
  if (responseFormat.type === 'json-schema') {
    const { schema, param = 'response_format.json_schema.schema' } = responseFormat;
    asked.push({ schema, param });
  }
  for (const { strict, parameters, param = 'tools' } of tools) {
    if (strict) asked.push({ schema: parameters, param });
  }
  schemas.assertAll(asked);
}
