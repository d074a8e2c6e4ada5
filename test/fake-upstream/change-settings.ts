import { z } from 'zod';
import { httpFaults, isHttpFault } from './http-faults.ts';
import { codeOfFault } from './platform/platform-faults.ts';
import { platformScenarios } from './platform/platform-scenarios.ts';
import { parseScenarioCall } from './scenarios/scenario-call.ts';
import { scenarios } from './scenarios/scenarios.ts';
import type { FakeUpstreamSettings } from './settings.ts';

const fault = z.enum(httpFaults).nullable();
const count = z.int().min(0);
const milliseconds = z.number().min(0);
const scenarioCall = z
  .string()
  .refine((call) => Object.hasOwn(scenarios, parseScenarioCall(call).name), 'unknown scenario');

const platformFault = z.string().refine((fault) => {
  const { name } = parseScenarioCall(fault);
  return codeOfFault(name) !== undefined || isHttpFault(name) || Object.hasOwn(platformScenarios, name);
}, 'unknown fault');

const model = z.strictObject({
  id: z.string().min(1),
  name: z.string().optional(),
  inactive: z.boolean().optional(),
  hidden: z.boolean().optional(),
  vision: z.boolean().optional(),
  reasoningEffort: z.boolean().optional(),
});

const settingsSchema = z.strictObject({
  scenario: scenarioCall,
  answerText: z.string().nullable(),
  answerFrames: z.int().min(1),
  thinkingText: z.string(),
  editIndexUnit: z.enum(['code-points', 'utf16']),
  delayMs: milliseconds,
  frameDelayMs: milliseconds,
  frontendVersion: z.string().regex(/^prod-fe-\d+\.\d+\.\d+$/),
  checkFrontendVersion: z.boolean(),
  staleVersionAnswer: z.enum(['waf', '426', 'in-stream']),
  checkQuery: z.boolean(),
  checkHeaders: z.boolean(),
  checkToken: z.boolean(),
  checkSignature: z.boolean(),
  signingSecret: z.string().min(1),
  bucketTolerance: count,
  clockOffsetMs: z.number(),
  checkUserId: z.boolean(),
  checkModel: z.boolean(),
  guestModels: z.array(z.string()).nullable(),
  requireVerification: z.union([z.boolean(), z.literal('guests')]),
  checkConcurrency: z.boolean(),
  perTokenConcurrency: count,
  capacity: count.nullable(),
  requireChat: z.boolean(),
  checkFiles: z.boolean(),
  toolsInBody: z.enum(['error', 'ignored']),
  multipleMessages: z.enum(['works', 'error', 'ignored']),
  completionFault: z.union([z.enum(httpFaults), scenarioCall]).nullable(),
  failTimes: count.nullable(),
  authFault: fault,
  authFailTimes: count.nullable(),
  authDelayMs: milliseconds,
  indexFault: fault,
  modelsFault: fault,
  chatsFault: fault,
  chatDeleteFault: fault,
  filesFault: fault,
  deadTokenAnswer: z.enum(['guest', '401']),
  rotateUserTokens: z.boolean(),
  guestLifetimeSeconds: z.number().positive().nullable(),
  nestChatId: z.boolean(),
  models: z.array(model).nullable(),
  platformKeys: z.array(z.string()).nullable(),
  platformKeyConcurrency: count.nullable(),
  platformModels: z.array(z.string()).nullable(),
  checkPlatformBody: z.boolean(),
  platformFault: platformFault.nullable(),
  platformFailTimes: count.nullable(),
  platformKeyFaults: z.record(z.string(), platformFault),
  platformModelFaults: z.record(z.string(), platformFault),
  platformModelsFault: platformFault.nullable(),
} satisfies Record<keyof FakeUpstreamSettings, z.ZodType>);

/** `current` with `change` on top. Throws a ZodError when a name is unknown or a value does not fit. */
export function changeSettings(current: FakeUpstreamSettings, change: unknown): FakeUpstreamSettings {
  return settingsSchema.parse({ ...current, ...z.record(z.string(), z.unknown()).parse(change) });
}
