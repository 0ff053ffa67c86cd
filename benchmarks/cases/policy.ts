// SPDX-License-Identifier: Apache-2.0
import { fileURLToPath } from 'node:url';
import { formatCount } from '../report/number.js';
import type { Bench } from '../rig/bench.js';
import type { Case, Point } from '../rig/case.js';
import { type Load, throughLoaded } from '../rig/load.js';
import type { Measurement } from '../rig/measure.js';
import type { Services } from '../rig/network.js';
import type { CompileReading } from '../rig/policy-compile-process.js';

interface TrafficPoint extends Point, Load {
  rules: number;
}
interface CompilePoint extends Point {
  kind: 'compile';
  rules: number;
}
type PolicyPoint = TrafficPoint | CompilePoint;

type Key =
  | 'without'
  | 'with'
  | 'ratio'
  | 'clocksWithout'
  | 'clocksWith'
  | 'clocksRatio'
  | keyof CompileReading;

/** About a thousand backends, and so pods. */
const SERVICES: Services = { count: 333, each: 3, families: [4], protocols: ['udp'] };
const RULES_EACH = 100;
const SCRIPT = 'benchmarks/rig/policy-compile-process.ts';

export const policy: Case<PolicyPoint, Key> = {
  name: 'policy',
  title: 'Policy: rules over a thousand pods',
  measures:
    'Packets a second, and clocks a packet, to 999 pods that policies are for, and to the same backends without any policy, in turn. A policy has 100 rules (two thirds by network, a third by labels) and is for a tenth of the pods; the clients are let in by the last one of each. Hits: on flows that are in the table. New: every packet is the first of its flow, and the rules are asked. Compile: from model to delta in the compiler alone, of everything, of one pod more, of one pod with another label, and of one policy more; memory is what the compiler keeps.',
  figures: {
    without: { title: 'no policy', unit: 'Mpps' },
    with: { title: 'with rules', unit: 'Mpps' },
    ratio: { title: 'of no policy', unit: '' },
    clocksWithout: { title: 'clocks, no policy', unit: '' },
    clocksWith: { title: 'clocks, with rules', unit: '' },
    clocksRatio: { title: 'clocks of no policy', unit: '' },
    check: { title: 'check', unit: 'ms' },
    plan: { title: 'first plan', unit: 'ms' },
    pod: { title: 'one pod more', unit: 'ms' },
    label: { title: 'one label changed', unit: 'ms' },
    policy: { title: 'one policy more', unit: 'ms' },
    memory: { title: 'memory', unit: 'MB' },
  },
  panels: [
    { title: 'Packets on flow hits', group: 'hits', figures: ['without', 'with'] },
    { title: 'New flows', group: 'new', figures: ['without', 'with'] },
    {
      title: 'Compiler',
      group: 'compile',
      figures: ['check', 'plan', 'pod', 'label', 'policy'],
      scale: 'log',
    },
  ],
  points: ({ quick }) => [
    ...(quick ? [100_000] : [1_000, 100_000]).flatMap((flows) =>
      (quick ? [10_000] : [100, 10_000]).map((rules) => trafficPoint('hits', rules, flows)),
    ),
    ...(quick ? [10_000] : [100, 10_000]).map((rules) => trafficPoint('new', rules, 1_000_000)),
    ...(quick ? [10_000] : [100, 1_000, 10_000]).map((rules) => ({
      ...{
        kind: 'compile' as const,
        group: 'compile',
        label: `${formatCount(rules)} rules`,
        rules,
      },
    })),
  ],
  round: (point, bench) =>
    point.kind === 'compile' ? compile(point, bench) : traffic(point, bench),
};

function trafficPoint(kind: TrafficPoint['kind'], rules: number, flows: number): TrafficPoint {
  const label = `${formatCount(rules)} rules`;
  const among = kind === 'new' ? label : `${label}, ${formatCount(flows)} flows`;
  return { kind, group: kind, label: among, flows, rules };
}

async function traffic(point: TrafficPoint, bench: Bench) {
  const without = await through(point, 0, bench);
  const with_ = await through(point, point.rules, bench);
  return {
    ...{ without: without.mpps, with: with_.mpps, ratio: with_.mpps / without.mpps },
    ...{ clocksWithout: without.clocks, clocksWith: with_.clocks },
    clocksRatio: with_.clocks / without.clocks,
  };
}

function through(point: TrafficPoint, rules: number, bench: Bench): Promise<Measurement> {
  return throughLoaded(point, { services: SERVICES, policy: { rules, each: RULES_EACH } }, bench);
}

async function compile({ rules }: CompilePoint, bench: Bench): Promise<CompileReading> {
  bench.freezeSluices();
  const options = ['--expose-gc', '--import=tsx'];
  const args = [String(rules), String(RULES_EACH)];
  bench.commands.set('compile', `node ${[...options, SCRIPT, ...args].join(' ')}`);
  const script = fileURLToPath(new URL(`../../${SCRIPT}`, import.meta.url));
  const { stdout } = await bench.children.run(process.execPath, [...options, script, ...args], {
    timeoutMs: 300_000,
  });
  return JSON.parse(stdout) as CompileReading;
}
