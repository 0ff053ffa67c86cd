// One process per file: the EAL initialises once per process. One file at a time: two cores, and
// workers that poll.
export default {
  files: ['test/**/*.test.ts', 'examples/**/*.test.ts'],
  extensions: { ts: 'module' },
  nodeArguments: ['--import=tsx'],
  workerThreads: false,
  concurrency: 1,
  timeout: '5m',
};
