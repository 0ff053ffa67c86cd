// SPDX-License-Identifier: Apache-2.0
import { type Case, defineCase } from '../rig/case.js';
import { agent } from './agent.js';
import { forward } from './forward.js';
import { fragments } from './fragments.js';
import { ipv6 } from './ipv6.js';
import { latency } from './latency.js';
import { micro } from './micro.js';
import { policy } from './policy.js';
import { routes } from './routes.js';
import { setup } from './setup.js';
import { software } from './software.js';
import { tunnel } from './tunnel.js';
import { workers } from './workers.js';

/** All benchmarks, in the order in which they run. A new one is a file here and a line in this list. */
export const CASES: readonly Case[] = [
  defineCase(forward),
  defineCase(setup),
  defineCase(latency),
  defineCase(ipv6),
  defineCase(fragments),
  defineCase(policy),
  defineCase(routes),
  defineCase(tunnel),
  defineCase(agent),
  defineCase(software),
  defineCase(workers),
  defineCase(micro),
];
