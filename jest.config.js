/** Native ESM on the TypeScript sources: the same files that `tsc -b` compiles, found by the `@zai2api/source` condition. */
export default {
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['@zai2api/source', 'node', 'node-addons', 'import'] },
  extensionsToTreatAsEsm: ['.ts'],
  testMatch: ['**/*.test.ts'],
  // Those need tools of their own: `npm run charts`, `npm run deployment`.
  testPathIgnorePatterns: ['/node_modules/', '/dist/', '<rootDir>/test/charts/', '<rootDir>/test/deployment/'],
  modulePathIgnorePatterns: ['/dist/'],
  injectGlobals: false,
  // Above every deadline that a test waits with, so that its own message is the one that shows.
  testTimeout: 20_000,
  transform: {
    '\\.ts$': ['@swc/jest', { jsc: { target: 'es2024', parser: { syntax: 'typescript' } }, module: { type: 'es6' } }],
  },
};
