// SPDX-License-Identifier: Apache-2.0
import { type Case, defineCase } from '../rig/case.js';
import { forward } from './forward.js';

/** All benchmarks, in the order in which they run. A new one is a file here and a line in this list. */
export const CASES: readonly Case[] = [defineCase(forward)];
