// SPDX-License-Identifier: Apache-2.0
import type { InterfaceSpec } from '../model/model.js';

/** How local pods are told from others. */
export type DetectLocal =
  | { mode: 'ClusterCIDR'; networks: readonly string[] }
  | { mode: 'NodeCIDR' }
  /** `text`: the name, or what names begin with. */
  | { mode: 'BridgeInterface' | 'InterfaceNamePrefix'; text: string };

/**
 * An interface with the scope that it has by its name, or by that of its device. One that says its
 * scope itself keeps it.
 */
export function scopedInterface(spec: InterfaceSpec, detectLocal: DetectLocal): InterfaceSpec {
  if (spec.scope !== undefined || !isOfPods(spec, detectLocal)) return spec;
  return { ...spec, scope: 'pod' };
}

/** What a configuration says of local pods, and that does nothing, or leaves nobody to be one. */
export function detectLocalWarnings(
  detectLocal: DetectLocal,
  given: {
    clusterCIDR?: string | undefined;
    detectLocal?:
      | { bridgeInterface?: string | undefined; interfaceNamePrefix?: string | undefined }
      | undefined;
  },
  interfaces: readonly InterfaceSpec[],
): string[] {
  const { mode } = detectLocal;
  const unused = (key: string, value: unknown, useful: DetectLocal['mode']): string[] =>
    value === undefined || mode === useful
      ? []
      : [`${key} does nothing, for detectLocalMode is ${mode}`];
  const warnings = [
    ...unused('clusterCIDR', given.clusterCIDR, 'ClusterCIDR'),
    ...unused('detectLocal.bridgeInterface', given.detectLocal?.bridgeInterface, 'BridgeInterface'),
    ...unused(
      'detectLocal.interfaceNamePrefix',
      given.detectLocal?.interfaceNamePrefix,
      'InterfaceNamePrefix',
    ),
  ];
  if ('text' in detectLocal && !interfaces.some((spec) => isOfPods(spec, detectLocal)))
    warnings.push(`no interface is called as ${mode} says (${detectLocal.text})`);
  const hasPods = interfaces.some(({ scope, pod }) => scope === 'pod' || pod !== undefined);
  if ('networks' in detectLocal && detectLocal.networks.length === 0 && !hasPods)
    warnings.push(
      'clusterCIDR is not given, and no interface is of scope pod: nobody can be told to be a local pod',
    );
  return warnings;
}

function isOfPods({ name, device }: InterfaceSpec, detectLocal: DetectLocal): boolean {
  if (!('text' in detectLocal)) return false;
  const { mode, text } = detectLocal;
  const names = device === undefined ? [name] : [name, device];
  return names.some((each) => (mode === 'BridgeInterface' ? each === text : each.startsWith(text)));
}
