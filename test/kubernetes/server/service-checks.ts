// SPDX-License-Identifier: Apache-2.0
import ipaddr from 'ipaddr.js';
import { type Allocations, familyOf } from './allocation.js';
import { checkLabel1123, checkPort, checkSubdomain } from './checks.js';
import type { KubeObject, Tree } from './objects.js';
import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalid,
  required,
  unsupported,
} from './status.js';

export const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];

export const mayHaveNodePorts = (spec: Tree): boolean =>
  spec.type === 'NodePort' || spec.type === 'LoadBalancer';
/** Traffic from outside may come to it. */
export const isExternal = (spec: Tree): boolean =>
  mayHaveNodePorts(spec) || (spec.type === 'ClusterIP' && (spec.externalIPs?.length ?? 0) > 0);

/** The mistakes of a Service that the API server refuses. */
export function checkService(
  service: KubeObject,
  old: KubeObject | undefined,
  allocations: Allocations,
): FieldError[] {
  const { spec } = service;
  return [
    ...checkPorts(spec),
    ...checkChoice('spec.sessionAffinity', spec.sessionAffinity, ['ClientIP', 'None']),
    ...checkTimeout(spec),
    ...checkChoice('spec.type', spec.type, [
      'ClusterIP',
      'ExternalName',
      'LoadBalancer',
      'NodePort',
    ]),
    ...checkAddresses(spec, old?.spec, allocations),
    ...checkExternal(spec),
    ...checkPolicies(spec),
  ];
}

const checkChoice = (field: string, value: Tree, choices: readonly string[]): FieldError[] =>
  value === undefined || choices.includes(value) ? [] : [unsupported(field, value, choices)];

function checkPorts(spec: Tree): FieldError[] {
  const ports: Tree[] = spec.ports ?? [];
  if (ports.length === 0) {
    const isNeedless = spec.type === 'ExternalName' || spec.clusterIP === 'None';
    return isNeedless ? [] : [required('spec.ports')];
  }
  const errors: FieldError[] = [];
  const names = new Set<string>();
  const numbers = new Set<string>();
  const nodePorts = new Set<string>();
  for (const [index, { name, port, protocol, targetPort, nodePort }] of ports.entries()) {
    const field = `spec.ports[${index}]`;
    if (!name) {
      if (ports.length > 1) errors.push(required(`${field}.name`));
    } else {
      errors.push(...checkLabel1123(`${field}.name`, name));
      if (names.has(name)) errors.push(duplicate(`${field}.name`, name));
      names.add(name);
    }
    errors.push(...checkPort(`${field}.port`, port));
    errors.push(...checkChoice(`${field}.protocol`, protocol, PROTOCOLS));
    if (typeof targetPort === 'number')
      errors.push(...checkPort(`${field}.targetPort`, targetPort));
    if (numbers.has(`${protocol}/${port}`)) {
      errors.push(duplicate(field, { port, protocol }));
    }
    numbers.add(`${protocol}/${port}`);
    if (!nodePort) continue;
    if (!mayHaveNodePorts(spec)) {
      errors.push(
        forbiddenField(`${field}.nodePort`, "may not be used when `type` is 'ClusterIP'"),
      );
    }
    if (nodePorts.has(`${protocol}/${nodePort}`)) {
      errors.push(duplicate(`${field}.nodePort`, nodePort));
    }
    nodePorts.add(`${protocol}/${nodePort}`);
  }
  return errors;
}

function checkTimeout({ sessionAffinity, sessionAffinityConfig }: Tree): FieldError[] {
  if (sessionAffinity !== 'ClientIP') return [];
  const seconds = sessionAffinityConfig?.clientIP?.timeoutSeconds;
  return Number.isInteger(seconds) && seconds > 0 && seconds <= 86400
    ? []
    : [
        invalid(
          'spec.sessionAffinityConfig.clientIP.timeoutSeconds',
          seconds,
          'must be greater than 0 and less than 86400',
        ),
      ];
}

function checkAddresses(spec: Tree, old: Tree, allocations: Allocations): FieldError[] {
  const given: string[] = spec.clusterIPs ?? [];
  if (spec.type === 'ExternalName') {
    const wrong = ['clusterIPs', 'ipFamilies', 'ipFamilyPolicy'].filter(
      (name) => spec[name]?.length,
    );
    return wrong.map((name) =>
      forbiddenField(`spec.${name}`, 'may not be set for ExternalName services'),
    );
  }
  const errors: FieldError[] = [];
  if (spec.clusterIP === 'None' && spec.type !== 'ClusterIP') {
    const why = `may not be set to 'None' for ${spec.type} services`;
    errors.push(invalid('spec.clusterIPs[0]', 'None', why));
  }
  if (given.length > 0 && (spec.clusterIP ?? '') !== given[0]) {
    errors.push(invalid('spec.clusterIPs', given, 'first value must match `clusterIP`'));
  }
  if (given.length > 2)
    errors.push(invalid('spec.clusterIPs', given, 'may only hold up to 2 values'));
  if (old?.clusterIP && given[0] !== old.clusterIP) {
    errors.push(invalid('spec.clusterIPs[0]', given, 'may not change once set'));
  }
  for (const [index, address] of given.entries()) {
    if (address === 'None') continue;
    const field = `spec.clusterIPs[${index}]`;
    if (!ipaddr.isValid(address)) {
      errors.push(
        invalid(field, address, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'),
      );
    } else if (spec.ipFamilies?.[index] && familyOf(address) !== spec.ipFamilies[index]) {
      errors.push(
        invalid(
          field,
          address,
          `expected an ${spec.ipFamilies[index]} value as indicated by \`ipFamilies[${index}]\``,
        ),
      );
    }
  }
  return [...errors, ...checkFamilies(spec, old, allocations)];
}

function checkFamilies(spec: Tree, old: Tree, { families }: Allocations): FieldError[] {
  const errors = checkChoice('spec.ipFamilyPolicy', spec.ipFamilyPolicy, [
    'PreferDualStack',
    'RequireDualStack',
    'SingleStack',
  ]);
  const asked: string[] = spec.ipFamilies ?? [];
  const isSelectorless = spec.clusterIP === 'None' && !spec.selector;
  for (const [index, family] of asked.entries()) {
    const field = `spec.ipFamilies[${index}]`;
    if (!['IPv4', 'IPv6'].includes(family))
      errors.push(unsupported(field, family, ['IPv4', 'IPv6']));
    else if (!families.includes(family as 'IPv4') && !isSelectorless) {
      errors.push(invalid(field, family, 'not configured on this cluster'));
    }
    if (asked.indexOf(family) < index) errors.push(duplicate(field, family));
  }
  if (old?.ipFamilies?.[0] && asked[0] !== old.ipFamilies[0]) {
    errors.push(invalid('spec.ipFamilies[0]', asked, 'may not change once set'));
  }
  if (spec.ipFamilyPolicy === 'SingleStack' && asked.length > 1) {
    const why =
      "must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified";
    errors.push(invalid('spec.ipFamilyPolicy', spec.ipFamilyPolicy, why));
  }
  if (spec.ipFamilyPolicy === 'RequireDualStack' && families.length < 2 && !isSelectorless) {
    const why = 'this cluster is not configured for dual-stack services';
    errors.push(invalid('spec.ipFamilyPolicy', spec.ipFamilyPolicy, why));
  }
  return errors;
}

function checkExternal(spec: Tree): FieldError[] {
  const errors: FieldError[] = [];
  if (spec.type === 'ExternalName') {
    errors.push(
      ...(spec.externalName
        ? checkSubdomain('spec.externalName', spec.externalName.replace(/\.$/, ''))
        : [required('spec.externalName')]),
    );
  }
  for (const [index, address] of (spec.externalIPs ?? []).entries()) {
    const field = `spec.externalIPs[${index}]`;
    if (!ipaddr.isValid(address)) {
      errors.push(
        invalid(field, address, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'),
      );
    } else if (
      ['loopback', 'unspecified', 'linkLocal', 'multicast'].includes(ipaddr.parse(address).range())
    ) {
      errors.push(
        invalid(field, address, `may not be in the ${ipaddr.parse(address).range()} range`),
      );
    }
  }
  const ranges: Tree[] = spec.loadBalancerSourceRanges ?? [];
  if (ranges.length > 0 && spec.type !== 'LoadBalancer') {
    errors.push(
      forbiddenField(
        'spec.LoadBalancerSourceRanges',
        "may only be used when `type` is 'LoadBalancer'",
      ),
    );
  }
  for (const [index, range] of ranges.entries()) {
    if (!ipaddr.isValidCIDR(String(range).trim())) {
      const field = `spec.loadBalancerSourceRanges[${index}]`;
      errors.push(
        invalid(field, range, 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'),
      );
    }
  }
  return errors;
}

function checkPolicies(spec: Tree): FieldError[] {
  const errors = [
    ...checkChoice('spec.internalTrafficPolicy', spec.internalTrafficPolicy, ['Cluster', 'Local']),
    ...checkChoice('spec.trafficDistribution', spec.trafficDistribution, [
      'PreferClose',
      'PreferSameNode',
      'PreferSameZone',
    ]),
  ];
  if (isExternal(spec)) {
    errors.push(
      ...checkChoice('spec.externalTrafficPolicy', spec.externalTrafficPolicy, [
        'Cluster',
        'Local',
      ]),
    );
  } else if (spec.externalTrafficPolicy) {
    const why = 'may only be set for externally-accessible services';
    errors.push(invalid('spec.externalTrafficPolicy', spec.externalTrafficPolicy, why));
  }
  if (
    spec.healthCheckNodePort &&
    !(spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local')
  ) {
    const why =
      "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
    errors.push(invalid('spec.healthCheckNodePort', spec.healthCheckNodePort, why));
  }
  return errors;
}
