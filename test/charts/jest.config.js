import { env } from 'node:process';
import main from '../../jest.config.js';

/** The chart's tests: they call helm, kubeconform, helm-docs and skaffold, which `.ci/charts` installs. */
export default {
  ...main,
  rootDir: '../..',
  testMatch: ['<rootDir>/test/charts/**/*.test.ts'],
  // Take minutes to build: a real API server, in `.ci/charts-on-kubernetes`, and skaffold, in `.ci/charts-by-skaffold`.
  testPathIgnorePatterns: [
    '/node_modules/',
    '/dist/',
    ...(env.CHART_KUBECONFIG ? [] : ['/test/charts/admission.test.ts']),
    // And Docker with the images, in `.ci/charts-in-docker`.
    ...(env.CHART_IMAGE_TAG ? [] : ['/test/charts/containers.test.ts']),
    ...(env.CHART_SKAFFOLD ? [] : ['/test/charts/skaffold-tool.test.ts']),
  ],
  // Each call of a tool is a process, on machines with other work.
  testTimeout: 60_000,
};
