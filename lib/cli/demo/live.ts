// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises';
import { crop, formatMoment, type Moment } from './live-table.js';
import { targetOf, UDP_SERVICES } from './shop.js';
import type { Setting, World } from './world.js';

const TERMINAL_REFRESH_MS = 500;
const PLAIN_REFRESH_MS = 3_000;
const PAUSE_MS = 250;
const HTTP_AT_A_TIME = 20;
const UDP_AT_A_TIME = 5;

const CLEAR = '\x1b[H\x1b[J';
const OTHER_SCREEN = '\x1b[?1049h\x1b[?25l';
const BACK = '\x1b[?25h\x1b[?1049l';

/** Where the table goes: the standard output, or the standard error where that is for JSON. */
export type Screen = NodeJS.WriteStream;

/** Shows a table over steady traffic until the signal is aborted; rejects if the traffic fails. */
export async function showLive(world: World, setting: Setting, screen: Screen): Promise<void> {
  const failed = new AbortController();
  const signal = AbortSignal.any([setting.signal, failed.signal]);
  const traffic = trickle(world, signal).catch((error: unknown) => {
    if (!signal.aborted) failed.abort(error);
  });
  const terminal = screen.isTTY === true;
  if (terminal) {
    screen.write(OTHER_SCREEN);
    setting.cleanup.defer(
      'screen',
      () => undefined,
      () => screen.write(BACK),
    );
  }
  let last = '';
  try {
    last = await draw(world, signal, screen, terminal);
  } finally {
    // What was seen last stays readable when the terminal has its own screen back.
    if (terminal) screen.write(`${BACK}${last}\n`);
    await traffic;
  }
  if (failed.signal.aborted) throw failed.signal.reason;
}

async function draw(
  world: World,
  signal: AbortSignal,
  screen: Screen,
  terminal: boolean,
): Promise<string> {
  const title = `Sluice: ${world.why}. Ctrl-C ends it.`;
  const beginning = performance.now();
  let before: Moment | null = null;
  let text = '';
  while (!signal.aborted) {
    const { services } = world.proxy;
    const now: Moment = { atMs: performance.now(), services, stats: world.proxy.stats() };
    const seconds = Math.round((now.atMs - beginning) / 1_000);
    text = formatMoment(`${title} ${seconds} s`, now, before);
    if (terminal) screen.write(CLEAR + crop(text, screen.columns ?? 80, screen.rows ?? 24));
    else screen.write(`${text}\n\n`);
    before = now;
    await sleep(terminal ? TERMINAL_REFRESH_MS : PLAIN_REFRESH_MS, undefined, { signal }).catch(
      () => undefined,
    );
  }
  return text;
}

/** A little of everything, never more than one batch of each kind at a time. */
async function trickle(world: World, signal: AbortSignal): Promise<void> {
  const { services } = world.proxy;
  const web = targetOf(services, 'web');
  const udp = UDP_SERVICES.map((name) => targetOf(services, name));
  await Promise.all([
    repeat(() => world.http(web, HTTP_AT_A_TIME), signal),
    repeat(() => world.udp(udp, UDP_AT_A_TIME), signal),
  ]);
}

async function repeat(batch: () => Promise<unknown>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await batch();
    await sleep(PAUSE_MS, undefined, { signal });
  }
}
