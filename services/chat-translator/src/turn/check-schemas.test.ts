import { describe, expect, it } from '@jest/globals';
import { TurnError, type ResponseFormat, type ToolDefinition, type TurnRequest } from '@zai2api/turn';
import { checkSchemas } from './check-schemas.ts';
import { createSchemaCheck } from './schema-check.ts';

const good = { type: 'object' };
const bad = { type: 'thing' };
const tool = (strict: boolean, parameters: ToolDefinition['parameters']): ToolDefinition => ({
  name: 't',
  parameters,
  strict,
});
const formatOf = (schema: Readonly<Record<string, unknown>>): ResponseFormat => ({
  type: 'json-schema',
  name: 'n',
  schema,
  strict: false,
});
const request = (responseFormat: ResponseFormat, ...tools: readonly ToolDefinition[]): TurnRequest => ({
  model: 'm',
  messages: [],
  reasoning: { visible: true },
  tools,
  toolChoice: { mode: 'auto' },
  parallelToolCalls: true,
  responseFormat,
  sampling: { stop: [] },
});

const checkSchema = createSchemaCheck();
const text: ResponseFormat = { type: 'text' };

describe('the schemas of a request', () => {
  it.each([
    request(text),
    request({ type: 'json-object' }),
    request(formatOf(good), tool(true, good)),
    // Only told to the model.
    request(text, tool(false, bad)),
  ])('are good (%#)', (asked) => {
    expect(() => checkSchemas(asked, checkSchema)).not.toThrow();
  });

  it.each([
    [request(formatOf(bad)), 'response_format.json_schema.schema'],
    [
      request(text, tool(true, good), { ...tool(true, bad), param: 'tools[3].function.parameters' }),
      'tools[3].function.parameters',
    ],
    [request(text, { ...tool(true, bad), param: 'functions[0].parameters' }), 'functions[0].parameters'],
  ] as const)('are refused with their path (%#)', (asked, param) => {
    expect(() => checkSchemas(asked, checkSchema)).toThrow(
      expect.objectContaining({
        code: 'invalid_request',
        details: { layer: 'client', reason: 'invalid_json_schema', param, cause: expect.anything() },
      }),
    );
  });

  it('do not hide a fault of ours', () => {
    const broken = (): never => {
      throw new Error('ours');
    };
    expect(() => checkSchemas(request(formatOf(good)), broken)).toThrow(TurnError);
    expect(() => checkSchemas(request(formatOf(good)), broken)).toThrow('Internal error.');
  });
});
