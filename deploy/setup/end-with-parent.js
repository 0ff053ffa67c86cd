// SPDX-License-Identifier: Apache-2.0
// Preloaded by hand-over.js: when the parent is gone, end as at SIGTERM, so that the namespaces and
// processes of the demo (or a benchmark) do not outlive a parent that was killed outright.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
// Listening must not keep the program from ending by itself.
process.channel?.unref();
