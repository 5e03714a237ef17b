import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{core,crypto,storage,transport,hosts,api,cli,protocols,tests}/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    allowOnly: false,
  },
});
