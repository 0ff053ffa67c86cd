// SPDX-License-Identifier: Apache-2.0
import ipaddr from 'ipaddr.js';
import { checkPort } from './checks.js';
import type { Tree } from './objects.js';
import { PROTOCOLS } from './service-checks.js';
import { type FieldError, invalid, required, unsupported } from './status.js';
import type { Strategy } from './strategy.js';

export const policyStrategy: Strategy = {
  defaults(policy) {
    policy.spec ??= {};
    const { spec } = policy;
    spec.podSelector ??= {};
    if (!spec.policyTypes?.length) {
      spec.policyTypes = spec.egress?.length ? ['Ingress', 'Egress'] : ['Ingress'];
    }
    for (const rule of [...(spec.ingress ?? []), ...(spec.egress ?? [])]) {
      for (const port of rule.ports ?? []) port.protocol ??= 'TCP';
    }
  },
  check({ spec }) {
    const errors: FieldError[] = [];
    for (const [index, type] of spec.policyTypes.entries()) {
      if (type !== 'Ingress' && type !== 'Egress') {
        errors.push(unsupported(`spec.policyTypes[${index}]`, type, ['Egress', 'Ingress']));
      }
    }
    for (const [direction, peers] of [
      ['ingress', 'from'],
      ['egress', 'to'],
    ] as const) {
      for (const [index, rule] of (spec[direction] ?? []).entries()) {
        const field = `spec.${direction}[${index}]`;
        errors.push(...checkRulePorts(`${field}.ports`, rule.ports ?? []));
        for (const [place, peer] of (rule[peers] ?? []).entries()) {
          errors.push(...checkPeer(`${field}.${peers}[${place}]`, peer));
        }
      }
    }
    return errors;
  },
};

function checkRulePorts(field: string, ports: readonly Tree[]): FieldError[] {
  return ports.flatMap(({ port, endPort, protocol }, index) => {
    const errors: FieldError[] = [];
    const path = `${field}[${index}]`;
    if (!PROTOCOLS.includes(protocol)) {
      errors.push(unsupported(`${path}.protocol`, protocol, PROTOCOLS));
    }
    if (typeof port === 'number') errors.push(...checkPort(`${path}.port`, port));
    if (endPort !== undefined && (typeof port !== 'number' || endPort < port)) {
      const why = 'must be greater than or equal to `port`';
      errors.push(invalid(`${path}.endPort`, endPort, why));
    }
    return errors;
  });
}

function checkPeer(field: string, peer: Tree): FieldError[] {
  const selected = peer.podSelector !== undefined || peer.namespaceSelector !== undefined;
  if (!selected && !peer.ipBlock) return [required(field, 'must specify a peer')];
  if (!peer.ipBlock) return [];
  if (selected) {
    return [
      {
        reason: 'FieldValueForbidden',
        field,
        message: 'Forbidden: may not specify both ipBlock and another peer',
      },
    ];
  }
  const { cidr, except = [] } = peer.ipBlock;
  if (!ipaddr.isValidCIDR(String(cidr))) {
    const why = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';
    return [invalid(`${field}.ipBlock.cidr`, cidr, why)];
  }
  const [base, length] = ipaddr.parseCIDR(cidr);
  return except.flatMap((inner: string, index: number) => {
    const path = `${field}.ipBlock.except[${index}]`;
    if (!ipaddr.isValidCIDR(inner)) {
      return [
        invalid(path, inner, 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'),
      ];
    }
    const [address, bits] = ipaddr.parseCIDR(inner);
    const isInside = address.kind() === base.kind() && bits > length && address.match(base, length);
    return isInside ? [] : [invalid(path, inner, `must be a strict subset of \`cidr\``)];
  });
}
