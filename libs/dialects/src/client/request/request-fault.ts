import { TurnError } from '@zai2api/turn';

/** A field that has to be there is absent (contract 5.1). */
export function missingParameter(param: string): TurnError {
  return new TurnError('invalid_request', `Missing required parameter: '${param}'.`, {
    layer: 'client',
    param,
    reason: 'missing_required_parameter',
  });
}

/** A field says something impossible. `rule` is a sentence without words of the client; `reason` a finer code than the usual one. */
export function invalidValue(param: string, rule: string, reason = 'invalid_value'): TurnError {
  return new TurnError('invalid_request', `Invalid value for '${param}': ${rule}`, { layer: 'client', param, reason });
}

/** The value, or the fault that names its place. */
export function required<Value>(value: Value | undefined, param: string): Value {
  if (value === undefined) throw missingParameter(param);
  return value;
}

/** A content part that is understood but cannot be given to any model here (contract 1.2). */
export function unsupportedPart(path: string, reason: string): TurnError {
  return new TurnError('unsupported', `The content part '${path}' is not supported.`, {
    layer: 'client',
    param: path,
    reason,
  });
}
