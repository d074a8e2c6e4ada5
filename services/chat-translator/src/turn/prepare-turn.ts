import type { DecodedRequest } from '@zai2api/dialects';
import type { RequestState } from '@zai2api/runtime';
import { TurnError, type TurnWarning } from '@zai2api/turn';
import type { TranslatorSettings } from '../config.ts';
import type { AttachmentReader } from '../media/read-attachments.ts';
import type { ModelDirectory, ModelRoute } from '../models/model-directory.ts';
import type { DriverTurn } from '../upstream-driver.ts';
import { routesFor } from '../upstreams/choose-driver.ts';
import { checkSchemas } from './check-schemas.ts';
import { dropMiddle } from './drop-middle.ts';
import { longestOf, placesThatFit } from './fit-context.ts';
import type { SchemaChecks } from './schema-check.ts';
import { turnTimeouts } from './turn-timeouts.ts';
import { uniqueWarnings } from './unique-warnings.ts';

/** What a decoded request is made ready with. */
export interface PrepareTurnOptions {
  readonly settings: TranslatorSettings;
  readonly catalog: Pick<ModelDirectory, 'resolve'>;
  readonly readAttachments: AttachmentReader;
  readonly schemas: Pick<SchemaChecks, 'assertAll'>;
  /** Estimated tokens of a text. */
  readonly countTokens: (text: string) => number;
}

/** One place where the turn may be asked for, and what depends on its model. */
export interface TurnRoute extends Pick<DriverTurn, 'model' | 'thinking' | 'timeouts'> {
  /** The upstream's name. */
  readonly upstream: string;
}

/** A turn for any of its routes; itself it is the turn for the first one. */
export interface PreparedTurn extends DriverTurn {
  /** The best place first; never empty. */
  readonly routes: readonly [TurnRoute, ...TurnRoute[]];
}

/** A decoded request made ready for a driver: its model known, its schemas checked, its files fetched. Throws a TurnError. */
export async function prepareTurn(
  decoded: Pick<DecodedRequest, 'request' | 'warnings' | 'stream'> & Pick<RequestState, 'keyName'>,
  signal: AbortSignal,
  { settings, catalog, readAttachments, schemas, countTokens }: PrepareTurnOptions,
): Promise<PreparedTurn> {
  const { request: asked, warnings } = offerTools(decoded, settings);
  checkSchemas(asked, schemas);
  const name = asked.model === '' ? settings.ZAI_MODEL_NAME : asked.model;
  const resolved = await catalog.resolve(name, signal, decoded.keyName);
  const needsVision = asked.messages.some(
    (message) => 'attachments' in message && message.attachments?.some(({ kind }) => kind !== 'document') === true,
  );
  const able = routesFor(resolved.routes, { needsVision });
  const fitting = asked.dropsMiddle === true ? dropMiddle(asked, longestOf(able), countTokens) : asked;
  const [place, ...places] = placesThatFit(able, fitting, countTokens);
  if (!place) throw new TurnError('internal', 'A model without an upstream.', { layer: 'internal' });
  const { messages, media } = await readAttachments(fitting.messages, place.model, signal);
  const { reasoning } = asked;
  const rendering = reasoning.rendering ?? resolved.rendering;
  const request = { ...asked, model: name, messages, reasoning: { ...reasoning, rendering } };
  const toRoute = ({ upstream, model }: ModelRoute): TurnRoute => ({
    upstream,
    model,
    // The client's own switch, then its effort, then the suffix, then the default of its dialect, or the house's (contract 1.1, 3.4).
    thinking:
      reasoning.enabled ??
      resolved.thinking ??
      reasoning.byDefault ??
      (settings.ZAI_THINKING_DEFAULT && model.capabilities.thinking),
    timeouts: turnTimeouts(settings, { stream: decoded.stream, model, hasMedia: media.length > 0 }),
  });
  const route = toRoute(place);
  return {
    ...route,
    request,
    media,
    warnings: uniqueWarnings(warnings),
    search: request.webSearch ?? resolved.search ?? false,
    routes: [route, ...places.map(toRoute)],
  };
}

/** The request without its tools where the house offers none. */
function offerTools(
  { request, warnings }: Pick<DecodedRequest, 'request' | 'warnings'>,
  { ZAI_FUNCTION_CALL_ENABLED: offered }: TranslatorSettings,
): Pick<DecodedRequest, 'request' | 'warnings'> {
  if (offered || request.tools.length === 0) return { request, warnings };
  if (request.toolChoice.mode === 'required') {
    throw new TurnError('unsupported', 'Tool calls are switched off here, so none can be demanded.', {
      layer: 'client',
      param: 'tool_choice',
      reason: 'unsupported_value',
    });
  }
  const ignored: TurnWarning = { code: 'ignored-parameter', field: 'tools' };
  return { request: { ...request, tools: [], toolChoice: { mode: 'auto' } }, warnings: [...warnings, ignored] };
}
