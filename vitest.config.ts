// The test projects, one folder under test/ each. What starts real servers runs one file at a time, so that a small
// machine measures the code and not the crowding.

import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';

const seconds = (n: number) => n * 1000;

/** `timeout` bounds one test; a hook may also have to start servers, so it gets two minutes where there are any. */
function project(name: string, timeout: number, servers: boolean): TestProjectInlineConfiguration {
  return {
    test: {
      name,
      include: [`test/${name}/**/*.test.ts`],
      testTimeout: timeout,
      // A condition waited for is late on a busy machine, not wrong.
      expect: { poll: { timeout: timeout * 0.8 } },
      hookTimeout: servers ? Math.max(timeout, seconds(120)) : timeout,
      fileParallelism: !servers,
    },
  };
}

export default defineConfig({
  test: {
    projects: [
      project('unit', seconds(10), false),
      project('simulation', seconds(120), false),
      project('integration', seconds(60), true),
      project('chaos', seconds(180), true),
      project('cluster', seconds(180), true),
    ],
  },
});
