// SPDX-License-Identifier: Apache-2.0
import { SluiceError } from '../errors.js';
import { formatAddress, formatPrefix, hostLength, networkOf } from './address.js';
import { checkInterface } from './check-interface.js';
import type { CheckedInterface } from './checked.js';
import { join, show } from './explain.js';

const CODE = 'ERR_INTERFACE_SPEC';

/**
 * Checks specifications, each by itself and all together.
 * @throws SluiceError `ERR_INTERFACE_SPEC`
 */
export function checkInterfaces(values: readonly unknown[], path: string): CheckedInterface[] {
  const interfaces = values.map((value, index) => checkInterface(value, `${path}[${index}]`));
  refuseSharedNames(interfaces, path);
  refuseSharedSockets(interfaces, path);
  refuseSharedNetworks(interfaces, path);
  refuseSharedPods(interfaces, path);
  return interfaces;
}

function refuseSharedNames(interfaces: readonly CheckedInterface[], path: string): void {
  const names = new Map<string, number>();
  interfaces.forEach(({ name }, index) => {
    const same = names.get(name);
    if (same !== undefined) {
      const at = join(`${path}[${index}]`, 'name');
      refuse(at, `${show(name)} is the name of ${path}[${same}]; names must differ`);
    }
    names.set(name, index);
  });
}

function refuseSharedSockets(interfaces: readonly CheckedInterface[], path: string): void {
  const sockets = new Map<string, number>();
  interfaces.forEach(({ kind, parameters }, index) => {
    const socket = parameters['socket'];
    if (socket === undefined) return;
    const first = sockets.get(socket);
    sockets.set(socket, first ?? index);
    if (first === undefined) return;
    const at = join(`${path}[${index}]`, 'socket');
    const other = interfaces[first]!;
    if (kind !== 'memif' || other.kind !== 'memif') {
      refuse(at, `${socket} is the socket of ${path}[${first}]; give each its own`);
    }
    if (parameters['role'] !== other.parameters['role']) {
      refuse(at, `${path}[${first}] uses ${socket} in the other role; give each its own socket`);
    }
    const twin = interfaces.findIndex(
      (candidate) =>
        candidate.parameters['socket'] === socket &&
        candidate.parameters['id'] === parameters['id'],
    );
    if (twin < index) {
      refuse(
        join(`${path}[${index}]`, 'id'),
        `${path}[${twin}] has id ${parameters['id']} on ${socket} already; give each its own id`,
      );
    }
  });
}

function refuseSharedNetworks(interfaces: readonly CheckedInterface[], path: string): void {
  const hosts = new Map<string, string>();
  const networks = new Map<string, { index: number; name: string }>();
  interfaces.forEach(({ name, addresses }, index) => {
    addresses.forEach((address, position) => {
      const at = `${path}[${index}].addresses[${position}]`;
      const host = formatAddress(address.bytes);
      const holder = hosts.get(host);
      if (holder !== undefined) refuse(at, `${host} is given already at ${holder}`);
      hosts.set(host, at);
      if (address.length === hostLength(address.bytes)) return;
      const network = formatPrefix(networkOf(address));
      const other = networks.get(network);
      if (other !== undefined && other.index !== index) {
        refuse(
          at,
          `network ${network} is on interface ${other.name} already; ` +
            `give one of them a longer prefix, such as ${host}/${hostLength(address.bytes)}`,
        );
      }
      networks.set(network, { index, name });
    });
  });
}

/** An address of a pod has one interface to go by. */
function refuseSharedPods(interfaces: readonly CheckedInterface[], path: string): void {
  const holders = new Map<string, string>();
  interfaces.forEach(({ name, pod, sources }, index) => {
    if (pod === null) return;
    sources.forEach(({ bytes }, position) => {
      const address = formatAddress(bytes);
      const holder = holders.get(address);
      if (holder !== undefined) {
        const at = `${path}[${index}].sources[${position}]`;
        refuse(at, `${address} is the pod's address on interface ${holder} already`);
      }
      holders.set(address, name);
    });
  });
}

function refuse(path: string, message: string): never {
  throw new SluiceError(CODE, message, { path });
}
