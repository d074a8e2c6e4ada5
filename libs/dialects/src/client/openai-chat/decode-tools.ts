import { TurnError } from '@zai2api/turn';
import type { IgnoredFields } from './ignored-fields.ts';
import type { WireRequest } from './wire-schema.ts';

/**
 * What the tools of a request ask for. Function tools have no effect yet: where the model may answer without them they are named as
 * ignored, where a call is demanded the request is refused. A web search tool switches search on.
 */
export function decodeTools(wire: WireRequest, ignored: IgnoredFields): { readonly webSearch: true | undefined } {
  wire.tools?.forEach((tool, index) => {
    if (tool.type === 'function' && !tool.function) {
      throw new TurnError('invalid_request', `Missing required parameter: 'tools[${index}].function'.`, {
        layer: 'client',
        param: `tools[${index}].function`,
        reason: 'missing_required_parameter',
      });
    }
  });
  if (wire.tool_choice === 'required' || typeof wire.tool_choice === 'object') throw cannotForce('tool_choice');
  if (typeof wire.function_call === 'object') throw cannotForce('function_call');

  const isSearch = (type: string): boolean => type.startsWith('web_search');
  if (wire.tools?.some((tool) => !isSearch(tool.type))) ignored.add('tools');
  if (wire.functions?.length) ignored.add('functions');
  const search = wire.tools?.some((tool) => isSearch(tool.type) && tool.web_search?.enable !== false);
  return { webSearch: search ? true : undefined };
}

function cannotForce(param: string): TurnError {
  return new TurnError('unsupported', `Tool calls are not supported yet, so '${param}' cannot demand one.`, {
    layer: 'client',
    param,
    reason: 'unsupported_value',
  });
}
