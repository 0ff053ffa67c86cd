// SPDX-License-Identifier: Apache-2.0
import { SluiceError } from '../errors.js';
import { compareAddresses, formatAddress, isMartian, parseAddress, parseIpv4 } from './address.js';
import {
  type CheckedBackend,
  type CheckedService,
  type CheckedServicePort,
  serviceKey,
} from './checked.js';
import { show } from './explain.js';
import { Fields } from './fields.js';
import type { Protocol } from './model.js';

const SERVICE_KEYS = ['name', 'namespace', 'addresses', 'ports'];
const PORT_KEYS = ['name', 'protocol', 'port', 'backends'];
const BACKEND_KEYS = ['address', 'port', 'weight'];
const PROTOCOLS: readonly Protocol[] = ['TCP', 'UDP'];

const DNS_NAME = /^[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?$/;
const NAME_RULE = 'lower-case letters, digits, "-" and ".", as in "web-1"';

/** A legal name of a Kubernetes object: a DNS name of at most `max` characters. */
export function isObjectName(text: string, max: number): boolean {
  return text.length <= max && DNS_NAME.test(text);
}

/** @throws SluiceError `ERR_MODEL` */
export function checkServices(values: readonly unknown[], path: string): CheckedService[] {
  const services = values.map((value, index) => checkService(value, `${path}[${index}]`));
  refuseDuplicates(services, path);
  return services;
}

function checkService(value: unknown, path: string): CheckedService {
  const fields = new Fields(value, path, 'ERR_MODEL', SERVICE_KEYS);
  const name = objectName(fields, 'name', 253);
  const namespace = fields.has('namespace') ? objectName(fields, 'namespace', 63) : 'default';
  const addresses = fields.list('addresses', 'IPv4 addresses').map((text, index) => {
    return formatAddress(checkAddress(text, `${path}.addresses[${index}]`));
  });
  if (addresses.length === 0) fields.expected('addresses', 'at least one address');
  addresses.forEach((address, index) => {
    if (addresses.indexOf(address) !== index) {
      refuse(`${path}.addresses[${index}]`, `${address} is given twice; leave one of them out`);
    }
  });
  const ports = fields
    .list('ports', 'ports')
    .map((port, index, all) => checkPort(port, `${path}.ports[${index}]`, all.length > 1));
  if (ports.length === 0) fields.expected('ports', 'at least one port');
  refuseDuplicatePorts(ports, path);
  return { namespace, name, addresses, ports };
}

function checkPort(value: unknown, path: string, needsName: boolean): CheckedServicePort {
  const fields = new Fields(value, path, 'ERR_MODEL', PORT_KEYS);
  let name = '';
  if (fields.value('name') === '' && !needsName) name = '';
  else if (needsName || fields.has('name')) {
    const rule = `a name of ${NAME_RULE}`;
    name = fields.string('name', needsName ? `${rule} (a service of several ports)` : rule);
    if (!isObjectName(name, 63)) fields.expected('name', rule);
  }
  const protocol = fields.oneOf('protocol', PROTOCOLS);
  const port = fields.integer('port', 1, 65_535, 'a port number');
  return { name, protocol, port, backends: checkBackends(fields, path) };
}

function checkBackends(fields: Fields, path: string): CheckedBackend[] {
  const rows = fields.list('backends', 'backends').map((value, index) => {
    const at = `${path}.backends[${index}]`;
    const backend = new Fields(value, at, 'ERR_MODEL', BACKEND_KEYS);
    const bytes = checkAddress(backend.value('address'), `${at}.address`);
    const port = backend.integer('port', 1, 65_535, 'a port number');
    const weight = backend.has('weight') ? backend.integer('weight', 0, 65_535, 'a weight') : 1;
    return { index, bytes, checked: { address: formatAddress(bytes), port, weight } };
  });
  rows.sort(
    (a, b) =>
      compareAddresses(a.bytes, b.bytes) || a.checked.port - b.checked.port || a.index - b.index,
  );
  for (let i = 1; i < rows.length; i++) {
    const [a, b] = [rows[i - 1]!, rows[i]!];
    if (a.checked.address === b.checked.address && a.checked.port === b.checked.port) {
      refuse(
        `${path}.backends[${b.index}]`,
        `${b.checked.address}:${b.checked.port} is backends[${a.index}] already; ` +
          'leave one out, or give one of them a greater weight',
      );
    }
  }
  return rows.map((row) => row.checked);
}

function checkAddress(value: unknown, path: string): Uint8Array {
  const bytes = typeof value === 'string' ? parseIpv4(value) : null;
  if (bytes === null) {
    const isV6 = typeof value === 'string' && parseAddress(value) !== null;
    refuse(
      path,
      `expected an IPv4 address such as 10.96.0.10 (no leading zeros), found ${show(value)}` +
        (isV6 ? '; IPv6 is not carried' : ''),
    );
  }
  if (isMartian(bytes)) {
    refuse(
      path,
      `expected a unicast address outside 0.0.0.0/8, 127.0.0.0/8 and 224.0.0.0/3, found ${show(value)}`,
    );
  }
  return bytes;
}

function refuseDuplicatePorts(ports: readonly CheckedServicePort[], path: string): void {
  const names = new Map<string, number>();
  const numbers = new Map<string, number>();
  ports.forEach((port, index) => {
    const sameName = names.get(port.name);
    if (sameName !== undefined) {
      refuse(
        `${path}.ports[${index}].name`,
        `${show(port.name)} is the name of ports[${sameName}]; port names must differ`,
      );
    }
    names.set(port.name, index);
    const number = `${port.port}/${port.protocol}`;
    const sameNumber = numbers.get(number);
    if (sameNumber !== undefined) {
      refuse(
        `${path}.ports[${index}].port`,
        `${number} is ports[${sameNumber}] already; a port may be given once per protocol`,
      );
    }
    numbers.set(number, index);
  });
}

function refuseDuplicates(services: readonly CheckedService[], path: string): void {
  const names = new Map<string, number>();
  const frontends = new Map<string, number>();
  services.forEach((service, index) => {
    const key = serviceKey(service);
    const same = names.get(key);
    if (same !== undefined) {
      refuse(
        `${path}[${index}].name`,
        `${key} is ${path}[${same}] already; names must differ within a namespace`,
      );
    }
    names.set(key, index);
    for (const [at, address] of service.addresses.entries()) {
      for (const port of service.ports) {
        const frontend = `${address}:${port.port}/${port.protocol}`;
        const owner = frontends.get(frontend);
        if (owner !== undefined) {
          const both = [serviceKey(services[owner]!), key].sort();
          refuse(
            `${path}[${index}].addresses[${at}]`,
            `services ${both.join(' and ')} both answer on ${frontend}; ` +
              'give one of them another address or port',
          );
        }
        frontends.set(frontend, index);
      }
    }
  });
}

function objectName(fields: Fields, key: string, max: number): string {
  const rule = `a name of at most ${max} ${NAME_RULE}`;
  const name = fields.string(key, rule);
  if (!isObjectName(name, max)) fields.expected(key, rule);
  return name;
}

function refuse(path: string, message: string): never {
  throw new SluiceError('ERR_MODEL', message, { path });
}
