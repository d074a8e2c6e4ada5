import type { HttpAnswer } from '../http-faults.ts';

interface PlatformError {
  readonly status: number;
  readonly message: string;
}

/** Every code of protocol 10.4 with its status and words like those of the real thing. */
const errors = {
  '1000': { status: 401, message: 'Authentication Failed' },
  '1001': { status: 401, message: 'Authentication parameter not received in Header, unable to authenticate' },
  '1002': { status: 401, message: 'Authentication Token invalid, please confirm the correct transmission' },
  '1003': { status: 401, message: 'Authentication Token expired, please regenerate/obtain' },
  '1110': { status: 429, message: 'Your account is currently inactive.' },
  '1113': { status: 429, message: 'Insufficient balance or no resource package. Please recharge.' },
  '1200': { status: 500, message: 'API Call Error' },
  '1210': { status: 400, message: 'API call parameters are incorrect, please check the documentation' },
  '1211': { status: 400, message: 'Unknown Model, please check the model code.' },
  '1212': { status: 400, message: 'Current model does not support this call method' },
  '1213': { status: 400, message: 'Field parameter not received properly' },
  '1214': { status: 400, message: 'Field parameter illegal. Please check the documentation' },
  '1220': { status: 403, message: 'You do not have permission to access this API' },
  '1221': { status: 400, message: 'API has been taken offline' },
  '1230': { status: 500, message: 'API call process error' },
  '1231': { status: 400, message: 'You already have request with the same request_id' },
  '1234': { status: 500, message: 'Network error, error id: 20260101000000abc, please contact customer service' },
  '1261': { status: 400, message: 'Prompt exceeds max length' },
  '1301': {
    status: 400,
    message: 'System detected potentially unsafe or sensitive content in input or generation.',
  },
  '1302': { status: 429, message: 'Rate limit reached for requests' },
  '1303': { status: 429, message: 'High frequency usage of this API, please reduce frequency' },
  '1304': { status: 429, message: 'Daily call limit for this API reached' },
  '1305': { status: 429, message: 'The service may be temporarily overloaded, please try again later' },
  '1308': { status: 429, message: 'Usage limit reached for 5 hour. Your limit will reset at 2099-01-01 08:00:00' },
  '1309': { status: 429, message: 'Your GLM Coding Plan package has expired and is temporarily unavailable.' },
  '1310': { status: 429, message: 'Weekly/Monthly Limit Exhausted. Your limit will reset at 2099-01-01 08:00:00' },
  '1311': { status: 429, message: 'Your current subscription plan does not include access to this model' },
  '1312': { status: 429, message: 'The model is currently experiencing high traffic. Please try again later' },
  '1313': { status: 429, message: 'Your usage pattern does not comply with the Fair Usage Policy' },
} as const satisfies Record<string, PlatformError>;

/** A code of the official API that the simulator can answer with. */
export type PlatformCode = keyof typeof errors;

/** All of them. */
export const platformCodes = Object.keys(errors) as PlatformCode[];

/** The error object as it stands in a body and in a frame. */
export function platformError(code: PlatformCode, message: string = errors[code].message): unknown {
  return { error: { code, message } };
}

/** The whole HTTP answer of a code; `message` says more than the usual words. */
export function platformAnswer(code: PlatformCode, message?: string): HttpAnswer {
  const body = JSON.stringify(platformError(code, message));
  return { status: errors[code].status, contentType: 'application/json', body };
}

/** What the official API says where the web backend would send one of its own errors: the same trouble in other words. */
const codeByWebError: Readonly<Record<string, PlatformCode>> = {
  'error-concurrency': '1302',
  'error-model-busy': '1305',
  'error-level': '1311',
  'error-sensitive': '1301',
  'error-internal': '1234',
  'error-auth': '1002',
  'error-model-not-found': '1211',
};

/** The code that a fault means: one by its number, or one that the web backend has, too. */
export function codeOfFault(fault: string): PlatformCode | undefined {
  return platformCodes.find((code) => code === fault) ?? codeByWebError[fault];
}

/** The scenario that fails behind content as the web backend's scenario of that name does. */
export const lateErrors: readonly (readonly [string, PlatformCode])[] = Object.entries(codeByWebError);
