// SPDX-License-Identifier: Apache-2.0

/** Runs `task(0)` to `task(count - 1)`, at most `width` of them at a time. */
export async function runWindow(
  count: number,
  width: number,
  task: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await task(next++);
  };
  await Promise.all(Array.from({ length: Math.min(width, count) }, lane));
}
