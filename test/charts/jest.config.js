import main from '../../jest.config.js';

/** The chart's tests: they call helm, kubeconform, helm-docs and skaffold, which `.ci/charts` installs. */
export default {
  ...main,
  rootDir: '../..',
  testMatch: ['<rootDir>/test/charts/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/'],
  // Each call of a tool is a process, on machines with other work.
  testTimeout: 60_000,
};
