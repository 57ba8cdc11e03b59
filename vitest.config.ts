// The test projects, one folder under test/ each. What starts real servers runs a few files at a time, so that a
// small machine measures the code and not the crowding.

import { availableParallelism } from 'node:os';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';

const cores = availableParallelism();
const seconds = (n: number) => n * 1000;
let projects = 0;

/**
 * `timeout` bounds one test; a hook may also have to start servers, so it gets two minutes where there are any.
 * `files`: how many run at once, which waiting ones may, for each has servers, ports and folders of its own.
 */
function project(
  name: string,
  timeout: number,
  servers: boolean,
  files = 1,
  more: TestProjectInlineConfiguration['test'] = {},
): TestProjectInlineConfiguration {
  return {
    test: {
      name,
      include: [`test/${name}/**/*.test.ts`],
      testTimeout: timeout,
      // A condition waited for is late on a busy machine, not wrong.
      expect: { poll: { timeout: timeout * 0.8 } },
      hookTimeout: servers ? Math.max(timeout, seconds(120)) : timeout,
      fileParallelism: files > 1,
      maxWorkers: files,
      // Vitest runs projects one after the other when they differ in their number of workers, and wants to know in which order.
      sequence: { groupOrder: projects++ },
      ...more,
    },
  };
}

export default defineConfig({
  test: {
    projects: [
      project('unit', seconds(30), false, cores),
      // Searches that are processes of their own run two at a time.
      project('simulation', seconds(120), false, cores, { maxConcurrency: 2 }),
      project('integration', seconds(60), true, cores),
      // The files of one worker share its modules, and so its API server: see test/harness/shared-apiserver.ts.
      project('apiserver', seconds(180), true, 2, { isolate: false }),
      project('chaos', seconds(180), true, 2),
      project('cluster', seconds(180), true),
    ],
  },
});
