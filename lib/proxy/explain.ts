// SPDX-License-Identifier: Apache-2.0
import type { ProgramView } from '../compile/view.js';
import type { Engine } from '../engine/engine.js';
import { SluiceError } from '../errors.js';
import { type Family, formatAddress, isIpv4, parseAddress } from '../model/address.js';
import { show } from '../model/explain.js';
import { Fields } from '../model/fields.js';
import { PROTOCOLS, type Protocol } from '../model/model.js';
import { type ExplainReport, explainReport } from '../observe/explain-report.js';
import { refuseUnknown } from './interface-set.js';
import type { AttachedInterface, InterfaceTable } from './interface-table.js';
import { type Probe, probeFrame } from './probe.js';

/** A packet to be explained: a frame as it comes in by an interface, or what it is about. */
export type ExplainInput =
  | {
      /** From the Ethernet header on. */
      frame: Uint8Array;
      /** Name of the interface that it comes in by. */
      interface: string;
    }
  | {
      /** Address of the sender. */
      from: string;
      /** Address that it speaks to, of the same family. */
      to: string;
      /** Port that it speaks to; left out: an echo request. */
      port?: number;
      /** Default: `TCP` where there is a port, else `ICMP`. */
      protocol?: Protocol;
      /** Default: 40,000; of an echo request the identifier. */
      fromPort?: number;
      /** Default: where the route to `from` leads. */
      interface?: string;
    };

const KEYS = ['frame', 'from', 'to', 'port', 'protocol', 'fromPort', 'interface'];
const DEFAULT_SOURCE_PORT = 40_000;

/** Says what would become of a packet. */
export class Explainer {
  readonly #engine: Engine;
  readonly #view: ProgramView;
  readonly #interfaces: InterfaceTable;

  constructor(engine: Engine, view: ProgramView, interfaces: InterfaceTable) {
    this.#engine = engine;
    this.#view = view;
    this.#interfaces = interfaces;
  }

  /** @throws SluiceError `ERR_OPTIONS`, `ERR_INTERFACE_UNKNOWN` */
  async explain(input: ExplainInput): Promise<ExplainReport> {
    const { ingress, frame } = this.#read(new Fields(input, '', 'ERR_OPTIONS', KEYS));
    const explanation = await this.#engine.explain(ingress.slot, frame);
    const names = new Map(this.#interfaces.list().map(({ slot, checked }) => [slot, checked.name]));
    return explainReport(explanation, ingress.checked.name, this.#view, (slot) => names.get(slot));
  }

  #read(fields: Fields): { ingress: AttachedInterface; frame: Uint8Array } {
    if (!fields.has('frame')) {
      const { ingress, ...probe } = this.#probe(fields);
      return { ingress, frame: probeFrame({ ...probe, mac: ingress.report.mac }) };
    }
    const frame = fields.value('frame');
    if (!(frame instanceof Uint8Array)) fields.expected('frame', 'a Uint8Array');
    return { ingress: this.#named(fields), frame: frame as Uint8Array };
  }

  #probe(fields: Fields): Omit<Probe, 'mac'> & { ingress: AttachedInterface } {
    const source = address(fields, 'from');
    const destination = address(fields, 'to');
    if (familyOf(source) !== familyOf(destination)) {
      fields.expected('to', `an IPv${familyOf(source)} address, as the sender's`);
    }
    const usual = fields.has('port') ? 'TCP' : 'ICMP';
    const protocol = fields.has('protocol') ? fields.oneOf('protocol', PROTOCOLS) : usual;
    if (protocol === 'ICMP' && fields.has('port')) fields.expected('port', 'none (echo has none)');
    return {
      source,
      destination,
      protocol,
      sourcePort: fields.has('fromPort')
        ? fields.integer('fromPort', 0, 65_535, 'a port number')
        : DEFAULT_SOURCE_PORT,
      destinationPort: protocol === 'ICMP' ? 0 : fields.integer('port', 0, 65_535, 'a port number'),
      ingress: fields.has('interface') ? this.#named(fields) : this.#towards(source),
    };
  }

  #named(fields: Fields): AttachedInterface {
    const name = fields.string('interface', 'the name of an interface');
    return this.#interfaces.get(name) ?? refuseUnknown(name, this.#interfaces);
  }

  /** The interface that a packet from `source` comes in by, if routes are symmetric. */
  #towards(source: Uint8Array): AttachedInterface {
    const slot = this.#view.route(source)?.hops[0]?.interface;
    const found = this.#interfaces.list().find((attached) => attached.slot === slot);
    if (found !== undefined) return found;
    const message = `no route leads to ${formatAddress(source)}; name the interface that it comes in by`;
    throw new SluiceError('ERR_OPTIONS', message, { path: 'interface' });
  }
}

function address(fields: Fields, key: string): Uint8Array {
  const value = fields.value(key);
  const bytes = typeof value === 'string' ? parseAddress(value) : null;
  if (bytes !== null) return bytes;
  return fields.fail(key, `expected an IP address, found ${show(value)}`);
}

function familyOf(bytes: Uint8Array): Family {
  return isIpv4(bytes) ? 4 : 6;
}
