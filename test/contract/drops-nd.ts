// SPDX-License-Identifier: Apache-2.0
import type { DropReason } from '../../lib/engine/reasons.js';
import {
  advertisement,
  concat,
  destinationOptions,
  linkLayerOption,
  type NdFields,
  packet,
  solicitation,
} from '../support/packets.js';
import type { DropCase } from './drop-cases.js';
import { fromClient, NET, V6 } from './net.js';

/** What neighbour discovery refuses or takes in. */

const CLIENT = { mac: NET.client.mac, sender: V6.client, target: V6.own[0] };
const HOP = { mac: '02:00:00:00:00:c5', sender: V6.hop, target: V6.hop };
const TO_US = { to: 'fd02::1', dst: NET.us[1] };

function asked(reason: DropReason, title: string, fields: Partial<NdFields>): DropCase {
  return { reason, title: `solicitation, ${title}`, frame: solicitation({ ...CLIENT, ...fields }) };
}

function told(reason: DropReason, title: string, fields: Partial<NdFields>): DropCase {
  const frame = advertisement({ ...HOP, ...TO_US, ...fields });
  return { reason, title: `advertisement, ${title}`, into: 1, frame };
}

/** The hop has been asked for: it is a neighbour, though incomplete. */
const ask: NonNullable<DropCase['before']> = (rig) =>
  rig.pass(0, 1, fromClient(V6.hop).udp({ src: 1, dst: 2 }).build());

const longOption = concat(linkLayerOption(1, NET.client.mac), new Uint8Array(8));
longOption[1] = 2;
const emptyOption = new Uint8Array(8);

const MALFORMED: readonly DropCase[] = [
  asked('malformed_nd', 'hop limit 254', { ttl: 254 }),
  asked('malformed_nd', 'a code', { code: 1 }),
  asked('malformed_nd', 'wrong checksum', { checksum: 0x1234 }),
  asked('malformed_nd', 'behind an extension header', { extensions: [destinationOptions()] }),
  asked('malformed_nd', '23 bytes', { length: 23 }),
  asked('malformed_nd', 'target is a group', { target: 'ff02::9' }),
  asked('malformed_nd', 'option of length 0', { options: emptyOption }),
  asked('malformed_nd', 'option beyond the packet', {
    options: linkLayerOption(1, NET.client.mac).slice(0, 6),
  }),
  asked('malformed_nd', 'link-layer address option of 16 bytes', { options: longOption }),
  asked('malformed_nd', 'link-layer address zero', {
    options: linkLayerOption(1, '00:00:00:00:00:00'),
  }),
  asked('malformed_nd', 'link-layer address of a group', {
    options: linkLayerOption(1, '33:33:00:00:00:01'),
  }),
  asked('malformed_nd', 'from :: to one station', {
    sender: '::',
    to: V6.own[0],
    dst: NET.us[0],
    options: new Uint8Array(0),
  }),
  asked('malformed_nd', 'from :: with a link-layer address', { sender: '::' }),
  told('malformed_nd', 'hop limit 254', { ttl: 254 }),
  told('malformed_nd', 'target is a group', { target: 'ff02::9' }),
  told('malformed_nd', 'link-layer address zero', {
    options: linkLayerOption(2, '00:00:00:00:00:00'),
  }),
];

const router = (type: number) =>
  packet()
    .eth({ src: NET.client.mac, dst: '33:33:00:00:00:01' })
    .ipv6({ src: 'fe80::9', dst: 'ff02::1', ttl: 255 })
    .icmp({ type, id: 0, seq: 0, payload: new Uint8Array(8) })
    .build();

const OTHERS: readonly DropCase[] = [
  ...[133, 134, 137].map(
    (type): DropCase => ({
      reason: 'nd_not_for_us',
      title: `type ${type}`,
      frame: router(type),
    }),
  ),
  asked('nd_not_for_us', 'another station', { target: 'fd00::77' }),
  asked('nd_not_for_us', 'our address on another interface', { target: V6.own[1] }),
  told('nd_not_for_us', 'of nobody that we know', {}),
  { ...told('nd_absorbed', 'of a neighbour', {}), before: ask },
  {
    ...told('nd_absorbed', 'of a neighbour, without a link-layer address', {
      options: new Uint8Array(0),
    }),
    before: ask,
  },
];

export const ND_CASES: readonly DropCase[] = [...MALFORMED, ...OTHERS];
