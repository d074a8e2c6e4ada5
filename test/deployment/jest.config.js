import base from '../../jest.config.js';

/** Images, compose, nginx and systemd on a Docker engine: one after the other, with deadlines for a busy machine. */
export default {
  ...base,
  rootDir: '../..',
  roots: ['<rootDir>/test/deployment'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/'],
  maxWorkers: 1,
  testTimeout: 900_000,
};
