// The tests run the compiled files of dist/: the very JavaScript that ships, worker threads included.
/** @type {import('jest').Config} */
export default {
  roots: ['<rootDir>/dist/test'],
  testMatch: ['**/*.test.js'],
  testEnvironment: '<rootDir>/test/nativeEnvironment.js',
  transform: {},
  globalSetup: '<rootDir>/dist/test/e2e/runFolder.js',
  globalTeardown: '<rootDir>/dist/test/e2e/removeRunFolder.js',
  testTimeout: 120_000, // that nothing hangs, not that it is quick: machines are shared
  // What a file leaves behind stays in its process, and every collection of garbage goes through it.
  workerIdleMemoryLimit: '350MB',
  maxWorkers: 3, // two cores: many tests wait for a server or a browser
};
