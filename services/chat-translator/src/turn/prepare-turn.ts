import type { DecodedRequest, SchemaCheck } from '@zai2api/dialects';
import { TurnError, type TurnWarning } from '@zai2api/turn';
import type { TranslatorSettings } from '../config.ts';
import type { AttachmentReader } from '../media/read-attachments.ts';
import type { ModelCatalog } from '../models/model-catalog.ts';
import type { DriverTurn } from '../upstream-driver.ts';
import { ignoredByZaiWeb } from '../zai-web/ignored-parameters.ts';
import { checkSchemas } from './check-schemas.ts';
import { turnTimeouts } from './turn-timeouts.ts';

export interface PrepareTurnOptions {
  readonly settings: TranslatorSettings;
  readonly catalog: ModelCatalog;
  readonly readAttachments: AttachmentReader;
  readonly checkSchema: SchemaCheck;
}

/** A decoded request made ready for a driver: its model known, its schemas checked, its files fetched. Throws a TurnError. */
export async function prepareTurn(
  decoded: Pick<DecodedRequest, 'request' | 'warnings' | 'stream'>,
  signal: AbortSignal,
  { settings, catalog, readAttachments, checkSchema }: PrepareTurnOptions,
): Promise<DriverTurn> {
  const { request: asked, warnings } = offerTools(decoded, settings);
  checkSchemas(asked, checkSchema);
  const name = asked.model === '' ? settings.ZAI_MODEL_NAME : asked.model;
  const resolved = await catalog.resolve(name, signal);
  const { messages, media } = await readAttachments(asked.messages, resolved.model, signal);
  const { reasoning } = asked;
  const rendering = reasoning.rendering ?? resolved.rendering;
  const request = { ...asked, model: name, messages, reasoning: { ...reasoning, rendering } };
  const { capabilities } = resolved.model;
  return {
    request,
    media,
    warnings: uniqueByField([...warnings, ...ignoredByZaiWeb(request)]),
    model: resolved.model,
    // The client's own switch, then its effort, then the suffix, then the default of its dialect, or the house's (contract 1.1, 3.4).
    thinking:
      reasoning.enabled ??
      resolved.thinking ??
      reasoning.byDefault ??
      (settings.ZAI_THINKING_DEFAULT && capabilities.thinking),
    search: request.webSearch ?? resolved.search ?? false,
    timeouts: turnTimeouts(settings, { stream: decoded.stream, model: resolved.model, hasMedia: media.length > 0 }),
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

/** Each ignored field is named once, whoever ignores it. */
const uniqueByField = (warnings: readonly TurnWarning[]): TurnWarning[] => [
  ...new Map(warnings.map((warning) => [warning.field, warning])).values(),
];
