import { env } from 'node:process';
import main from '../../jest.config.js';

/** The chart's tests: they call helm, kubeconform, helm-docs and skaffold, which `.ci/charts` installs. */
export default {
  ...main,
  rootDir: '../..',
  testMatch: ['<rootDir>/test/charts/**/*.test.ts'],
  // A real API server takes minutes to build: `.ci/charts-on-kubernetes` does it, and runs what needs one.
  testPathIgnorePatterns: [
    '/node_modules/',
    '/dist/',
    ...(env.CHART_KUBECONFIG ? [] : ['/test/charts/admission.test.ts']),
  ],
  // Each call of a tool is a process, on machines with other work.
  testTimeout: 60_000,
};
