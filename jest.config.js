/** @type {import('jest').Config} */
export default {
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': '<rootDir>/test/support/strip-types.ts' },
  modulePathIgnorePatterns: ['<rootDir>/cdk.out/', '<rootDir>/.latchkey/', '<rootDir>/client/dist/'],
  // Tests wait for processes more than they compute; the default leaves one core of two idle.
  maxWorkers: '100%',
  testSequencer: '<rootDir>/test/support/longest-first.js',
  // Only ends what hangs: no test needs a limit to pass, and a busy machine may take its time.
  testTimeout: 600_000,
  // Of our own code alone: V8 counts all that a worker ever loaded, the SDK many times over, and takes as long again.
  coverageProvider: 'babel',
  // Pages run in a browser, where test/browser tries them.
  collectCoverageFrom: ['functions/**/*.ts', '!functions/*/page/**'],
  coverageDirectory: 'coverage',
  coverageReporters: ['text-summary', 'lcovonly'],
  coverageThreshold: { './functions/': { branches: 95 } },
};
