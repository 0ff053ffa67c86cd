// SPDX-License-Identifier: Apache-2.0
import type { Leg } from './walk.js';

export type Direction = 'egress' | 'ingress';

/** The policy's word on one direction. */
export interface Judged {
  readonly direction: Direction;
  /** Whose engine said it. */
  readonly node: string;
  readonly allowed: boolean;
  /** `NetworkPolicy shop/cart`; `null`: no rule was for it. */
  readonly policy: string | null;
  /** Which of its rules; `null`: the lack of one. */
  readonly rule: string | null;
}

/** What was said of a direction on the way; `null`: nobody asked. */
export function judgedBy(_legs: readonly Leg[], _direction: Direction): Judged | null {
  return null;
}
