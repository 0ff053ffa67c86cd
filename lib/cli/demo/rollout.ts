// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises';
import type { Check } from './checks.js';
import type { ClusterShop } from './cluster-shop.js';
import { type Target, WEB_PODS } from './shop.js';
import type { Answers, Setting, World } from './world.js';

const REQUESTS = 90;
const PAUSE_MS = 6_000;

/** Says in the cluster that a pod is going, and that it is back, and looks whether the traffic follows. */
export async function showRollout(
  world: World,
  shop: ClusterShop,
  web: Target,
  { say }: Setting,
): Promise<Check> {
  const pod = WEB_PODS.at(-1)!;
  say(`${pod.name} is terminating, says the API server; then it is ready again`);
  const [goneMs, without] = [
    await shop.setTerminating(web.service, pod, true),
    await world.http(web, REQUESTS),
  ];
  const [backMs, again] = [
    await shop.setTerminating(web.service, pod, false),
    await world.http(web, REQUESTS),
  ];
  return rolloutCheck(pod.name, { ms: goneMs, answers: without }, { ms: backMs, answers: again });
}

/** How long a change took to be in force, and what came back then. */
export interface Stage {
  ms: number;
  answers: Answers;
}

export function rolloutCheck(pod: string, gone: Stage, back: Stage): Check {
  const ofPod = ({ answers }: Stage): number => answers.byPod.get(pod) ?? 0;
  const isWhole = ({ answers }: Stage): boolean =>
    answers.sent > 0 && answers.answered === answers.sent && answers.remark === '';
  const text = (stage: Stage): string =>
    `in force after ${stage.ms.toFixed(0)} ms, ` +
    `${ofPod(stage)} of ${stage.answers.answered} answers (${stage.answers.sent} requests)` +
    (stage.answers.remark === '' ? '' : `, ${stage.answers.remark}`);
  return {
    name: 'api change followed',
    ok: isWhole(gone) && isWhole(back) && ofPod(gone) === 0 && ofPod(back) > 0,
    detail: `${pod} terminating: ${text(gone)}; ready: ${text(back)}`,
  };
}

/** Lets a pod go and come back again and again, until the signal is aborted. */
export async function keepRolling(shop: ClusterShop, signal: AbortSignal): Promise<void> {
  const pod = WEB_PODS.at(-1)!;
  for (let terminating = true; !signal.aborted; terminating = !terminating) {
    await sleep(PAUSE_MS, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    // The user may have done something to the objects himself: the table shows it.
    await shop.setTerminating('web', pod, terminating).catch(() => undefined);
  }
}
