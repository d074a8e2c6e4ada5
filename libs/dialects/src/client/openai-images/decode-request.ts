import { TurnError, type ImageRequest, type TurnWarning } from '@zai2api/turn';
import * as z from 'zod';
import { createIgnoredFields } from '../request/ignored-fields.ts';
import { parseBody } from '../request/parse-body.ts';
import { invalidValue } from '../request/request-fault.ts';
import { modelName } from '../request/short-text.ts';

const requestSchema = z.looseObject({
  model: modelName.nullish(),
  prompt: z.string().min(1),
  n: z.int().min(1).nullish(),
  size: z.string().nullish(),
  quality: z.enum(['hd', 'standard', 'auto', 'high', 'medium', 'low']).nullish(),
  response_format: z.enum(['url', 'b64_json']).nullish(),
  stream: z.boolean().nullish(),
});

/** A request for a picture, and the form of its answer. */
export interface DecodedImageRequest {
  readonly request: ImageRequest;
  /** `b64_json`: the picture itself is in the answer. */
  readonly format: 'url' | 'b64_json';
  readonly warnings: readonly TurnWarning[];
}

/** What every model takes at least and at most, in pixels (contract 4.2). */
const MIN_SIDE = 512;
const MAX_SIDE = 2_048;

/** The names that OpenAI's newer models have for the two qualities. */
const qualities = {
  hd: 'hd',
  high: 'hd',
  standard: 'standard',
  medium: 'standard',
  low: 'standard',
  auto: undefined,
} as const;

/** `POST /v1/images/generations` in the neutral form: one picture. Throws a TurnError that names the field. */
export function decodeImageRequest(body: unknown): DecodedImageRequest {
  const wire = parseBody(requestSchema, body);
  if ((wire.n ?? 1) > 1) throw unsupported('n', 'One picture is made at a time.', 'unsupported_value');
  if (wire.stream) throw unsupported('stream', 'Pictures are not streamed.', 'unsupported_parameter');
  const ignored = createIgnoredFields();
  ignored.addUnknown(wire, requestSchema.shape);
  return {
    request: {
      model: wire.model?.trim() ?? '',
      prompt: wire.prompt,
      size: decodeSize(wire.size),
      quality: wire.quality ? qualities[wire.quality] : undefined,
    },
    format: wire.response_format ?? 'url',
    warnings: ignored.warnings(),
  };
}

function decodeSize(size: string | null | undefined): ImageRequest['size'] {
  if (size === undefined || size === null || size === 'auto') return undefined;
  const [, width, height] = /^(\d{1,5})x(\d{1,5})$/.exec(size) ?? [];
  const sides = { width: Number(width), height: Number(height) };
  const fits = Object.values(sides).every((side) => side >= MIN_SIDE && side <= MAX_SIDE && side % 16 === 0);
  if (fits) return sides;
  throw invalidValue('size', `it must be WIDTHxHEIGHT, each from ${MIN_SIDE} to ${MAX_SIDE} and a multiple of 16.`);
}

const unsupported = (param: string, message: string, reason: string): TurnError =>
  new TurnError('unsupported', message, { layer: 'client', param, reason });
