export { startFakeUpstream } from './fake-upstream.ts';
export type { FakeUpstream, FakeUpstreamOptions } from './fake-upstream.ts';
export { httpFaults } from './http-faults.ts';
export type { HttpFault } from './http-faults.ts';
export type { ReceivedRequest } from './received-request.ts';
export { defaultSettings } from './settings.ts';
export type { FakeModel, FakeUpstreamSettings } from './settings.ts';
export { scenarios } from './scenarios/scenarios.ts';
