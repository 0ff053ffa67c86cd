// SPDX-License-Identifier: Apache-2.0
import { destination, type Logger, pino, stdTimeFunctions } from 'pino';

// What commands have in common that run until they are told to stop.

const STDERR = 2;

/** JSON lines on stderr. */
export function openLog(level: string): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination({ fd: STDERR, sync: true }),
  );
}

/**
 * Runs a task that SIGTERM and SIGINT tell to stop.
 * @param onHangup - what SIGHUP does
 */
export async function untilStopped(
  task: (stop: AbortSignal) => Promise<void>,
  onHangup: () => void,
): Promise<void> {
  const stop = new AbortController();
  const handlers = {
    SIGTERM: () => stopOrLeave(stop, 'SIGTERM'),
    SIGINT: () => stopOrLeave(stop, 'SIGINT'),
    SIGHUP: onHangup,
  };
  for (const [signal, handler] of Object.entries(handlers)) process.on(signal, handler);
  try {
    await task(stop.signal);
  } finally {
    for (const [signal, handler] of Object.entries(handlers)) process.off(signal, handler);
  }
}

/** Whoever asks a second time does not want to wait. */
function stopOrLeave(stop: AbortController, signal: 'SIGTERM' | 'SIGINT'): void {
  if (stop.signal.aborted) process.exit(1);
  stop.abort(signal);
}
