// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { Children, waitFor } from '../../lib/cli/demo/children.js';
import { Cleanup } from '../../lib/cli/demo/cleanup.js';
import { Ending, Interruption } from '../../lib/cli/demo/ending.js';

const NODE = process.execPath;
const quiet = new AbortController().signal;

test('what was made last is undone first, and a failure does not stop the rest', async (t) => {
  const undone: string[] = [];
  const cleanup = new Cleanup();
  cleanup.defer('first', () => {
    undone.push('first');
  });
  cleanup.defer(
    'second',
    () => Promise.reject(new Error('stuck')),
    () => undone.push('second, the short way'),
  );
  cleanup.defer('third', async () => {
    undone.push('third');
  });
  t.deepEqual(await cleanup.run(), ['second: stuck']);
  t.deepEqual(undone, ['third', 'second, the short way', 'first']);
  t.deepEqual(await cleanup.run(), []);
});

test('a command that fails says which it was and what it said', async (t) => {
  const children = new Children();
  const script = 'process.stderr.write("no such thing\\n"); process.exit(3)';
  await t.throwsAsync(children.run(NODE, ['-e', script]), {
    message: /-e .*: ended with 3\n {2}no such thing/s,
  });
  await t.throwsAsync(children.run('sluice-has-no-such-program', []), {
    message: /sluice-has-no-such-program (ENOENT|EACCES)/,
  });
  const { stderr } = await children.run(NODE, ['-e', script], { anyExitCode: true });
  t.is(stderr, 'no such thing\n');
});

test('a command reads its input, and is ended by time or signal', async (t) => {
  const children = new Children();
  const { stdout } = await children.run(NODE, ['-e', 'process.stdin.pipe(process.stdout)'], {
    input: 'through',
  });
  t.is(stdout, 'through');
  const forever = ['-e', 'setInterval(() => {}, 1000)'];
  await t.throwsAsync(children.run(NODE, forever, { timeoutMs: 200 }), {
    message: /no end after 0\.2 s/,
  });
  const controller = new AbortController();
  const running = children.run(NODE, forever, { signal: controller.signal });
  controller.abort(new Error('enough'));
  await t.throwsAsync(running, { message: 'enough' });
});

test('a process that stays is waited for and stopped', async (t) => {
  const children = new Children();
  const staying = children.start(NODE, ['-e', 'console.log("ready"); setInterval(() => {}, 1000)']);
  await staying.wrote('ready', 10_000, quiet);
  t.notThrows(() => staying.assertRunning());
  await staying.stop();
  t.throws(() => staying.assertRunning(), { message: /SIGTERM/ });
  t.is(children.started, 1);
});

test('waiting for a process that dies ends with what it said', async (t) => {
  const staying = new Children().start(NODE, ['-e', 'console.error("cannot"); process.exit(4)']);
  await t.throwsAsync(staying.wrote('ready', 10_000, quiet), {
    message: /ended with 4\n {2}cannot/,
  });
  await staying.stop();
});

test.serial('a signal is a reason with the exit code of a shell', async (t) => {
  const ending = new Ending();
  process.kill(process.pid, 'SIGTERM');
  await waitFor(() => ending.signal.aborted, { what: 'signal', timeoutMs: 5_000, signal: quiet });
  ending.dispose();
  const reason: unknown = ending.signal.reason;
  t.true(reason instanceof Interruption && reason.exitCode === 143);
});

test.serial('the time limit is a failure, not an interruption', async (t) => {
  const ending = new Ending();
  ending.limit(20);
  await waitFor(() => ending.signal.aborted, { what: 'limit', timeoutMs: 5_000, signal: quiet });
  ending.dispose();
  t.regex(String(ending.signal.reason), /not through after 0\.02 s/);
});
