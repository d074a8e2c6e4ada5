import { TurnError, type EmbeddingRequest, type TurnWarning } from '@zai2api/turn';
import * as z from 'zod';
import { createIgnoredFields } from '../request/ignored-fields.ts';
import { parseBody } from '../request/parse-body.ts';
import { invalidValue } from '../request/request-fault.ts';
import { modelName } from '../request/short-text.ts';

const tokens = z.array(z.number());
const requestSchema = z.looseObject({
  model: modelName.nullish(),
  input: z.union([z.string(), z.array(z.string()), tokens, z.array(tokens)]),
  dimensions: z.int().min(1).nullish(),
  encoding_format: z.enum(['float', 'base64']).nullish(),
});

/** An embeddings request, and the form of its answer. */
export interface DecodedEmbeddingRequest {
  readonly request: EmbeddingRequest;
  /** Official clients ask for `base64` unless they are told otherwise (contract 4.2). */
  readonly encoding: 'float' | 'base64';
  readonly warnings: readonly TurnWarning[];
}

/** As many texts as OpenAI itself takes. */
const MAX_TEXTS = 2_048;

/** `POST /v1/embeddings` in the neutral form. Throws a TurnError that names the field; tokens in place of text cannot be given back as text. */
export function decodeEmbeddingRequest(body: unknown): DecodedEmbeddingRequest {
  const wire = parseBody(requestSchema, body);
  const ignored = createIgnoredFields();
  ignored.addUnknown(wire, requestSchema.shape);
  return {
    request: {
      model: wire.model?.trim() ?? '',
      texts: decodeInput(wire.input),
      dimensions: wire.dimensions ?? undefined,
    },
    encoding: wire.encoding_format ?? 'float',
    warnings: ignored.warnings(),
  };
}

function decodeInput(input: z.output<typeof requestSchema>['input']): readonly string[] {
  const texts = typeof input === 'string' ? [input] : input;
  const [first] = texts;
  if (first === undefined) throw invalidValue('input', 'it is empty.');
  if (typeof first !== 'string') {
    throw new TurnError('unsupported', 'The input must be text: token ids of another model mean nothing here.', {
      layer: 'client',
      param: 'input',
      reason: 'unsupported_value',
    });
  }
  const strings = texts as readonly string[];
  const empty = strings.indexOf('');
  if (empty >= 0) throw invalidValue(typeof input === 'string' ? 'input' : `input[${empty}]`, 'it is empty.');
  if (strings.length > MAX_TEXTS) throw invalidValue('input', `it has more than ${MAX_TEXTS} texts.`);
  return strings;
}
