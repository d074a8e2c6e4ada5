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

/** A parameter that cannot be given by any model here, and whose silent omission would falsify the answer (contract 1.1). */
export function unsupportedParameter(param: string): TurnError {
  return unsupported(`The parameter '${param}' is not supported.`, param, 'unsupported_parameter');
}

/** The same where other values of the parameter can be given. */
export function unsupportedValue(param: string): TurnError {
  return unsupported(`This value of '${param}' is not supported.`, param, 'unsupported_value');
}

/** A content part that is understood but cannot be given to any model here (contract 1.2). */
export function unsupportedPart(path: string, reason: string): TurnError {
  return unsupported(`The content part '${path}' is not supported.`, path, reason);
}

function unsupported(message: string, param: string, reason: string): TurnError {
  return new TurnError('unsupported', message, { layer: 'client', param, reason });
}
