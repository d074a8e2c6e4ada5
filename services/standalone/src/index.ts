export { loadStandaloneSettings, standaloneSettings, type StandaloneSettings } from './config.ts';
export { createStandalone, type Standalone } from './standalone.ts';
