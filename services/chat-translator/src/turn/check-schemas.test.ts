import { describe, expect, it } from '@jest/globals';
import type { ResponseFormat, ToolDefinition, TurnRequest } from '@zai2api/turn';
import { checkSchemas } from './check-schemas.ts';
import { createSchemaChecks } from './schema-check.ts';

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

const schemas = createSchemaChecks();
const text: ResponseFormat = { type: 'text' };

describe('the schemas of a request', () => {
  it.each([
    request(text),
    request({ type: 'json-object' }),
    request(formatOf(good), tool(true, good)),
    // Only told to the model.
    request(text, tool(false, bad)),
  ])('are good (%#)', (asked) => {
    expect(() => checkSchemas(asked, schemas)).not.toThrow();
  });

  it.each([
    [request(formatOf(bad)), 'response_format.json_schema.schema'],
    [
      request(text, tool(true, good), { ...tool(true, bad), param: 'tools[3].function.parameters' }),
      'tools[3].function.parameters',
    ],
    [request(text, { ...tool(true, bad), param: 'functions[0].parameters' }), 'functions[0].parameters'],
  ] as const)('are refused with their path (%#)', (asked, param) => {
    expect(() => checkSchemas(asked, schemas)).toThrow(
      expect.objectContaining({
        code: 'invalid_request',
        details: { layer: 'client', reason: 'invalid_json_schema', param, cause: expect.anything() },
      }),
    );
  });

  it('have one time together, however many of them never end', () => {
    // Each part stands in the next one ten times. Alone each takes the whole time: minutes for all of them.
    const endless = (title: string): Readonly<Record<string, unknown>> => {
      const words = Array.from({ length: 60 }, (_, index) => `k${index}`);
      const all = {
        type: 'object',
        title,
        properties: Object.fromEntries(words.map((word) => [word, { $ref: '#/$defs/a' }])),
      };
      return {
        ...all,
        $defs: {
          a: {
            type: 'object',
            properties: Object.fromEntries(
              Array.from({ length: 3_000 }, (_, index) => [`p${index}`, { type: 'string' }]),
            ),
          },
        },
      };
    };
    const tools = Array.from({ length: 128 }, (_, index) => ({
      ...tool(true, endless(`t${index}`)),
      param: `tools[${index}]`,
    }));
    expect(() => checkSchemas(request(text, ...tools), schemas)).toThrow(
      expect.objectContaining({
        code: 'invalid_request',
        message: 'The JSON Schema takes too long to read.',
        details: expect.objectContaining({
          reason: 'invalid_json_schema',
          param: expect.stringMatching(/^tools\[\d+\]$/),
        }),
      }),
    );
  });
});
