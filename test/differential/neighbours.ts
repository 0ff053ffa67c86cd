// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import {
  advertisement,
  arp,
  destinationOptions,
  type Extension,
  linkLayerOption,
  linkLocal,
  solicitation,
} from '../support/packets.js';
import {
  type Arrival,
  breakage,
  INTERFACES,
  MACS,
  mostly,
  PEER_MACS,
  pick,
  WORLDS,
} from './world.js';

export const arpFrame = fc
  .record({
    on: pick(...INTERFACES),
    operation: pick(1, 1, 2, 2, 3),
    senderMac: mostly(6, pick(...PEER_MACS), pick('ff:ff:ff:ff:ff:ff', '00:00:00:00:00:00')),
    sender: pick(...WORLDS[0].clients, ...WORLDS[0].backends, WORLDS[0].gateway, ...WORLDS[0].odd),
    target: pick(...WORLDS[0].own, ...WORLDS[0].own, ...WORLDS[0].clients, WORLDS[0].gateway),
    broken: breakage({ hardwareType: 6 }, { protocolLength: 16 }),
    unicast: fc.boolean(),
  })
  .map(({ on, broken, unicast, ...fields }) => ({
    on,
    frame: arp({ ...fields, ...broken, src: PEER_MACS[on], ...(unicast ? { dst: MACS[on] } : {}) }),
  }));

const [, v6] = WORLDS;
export const ndFrame: fc.Arbitrary<Arrival> = fc
  .record({
    on: pick(...INTERFACES),
    told: fc.boolean(),
    sender: mostly(
      5,
      pick(...v6.clients, ...v6.backends, v6.gateway, 'fe80::9'),
      pick('::', ...v6.odd),
    ),
    target: pick(
      ...v6.own,
      ...v6.clients,
      ...v6.backends,
      v6.gateway,
      linkLocal(MACS[0]),
      'ff02::9',
    ),
    flags: pick(0x60, 0x20, 0xe0),
    options: mostly<'usual' | 'none' | 'zero' | 'foreign' | 'empty'>(
      5,
      fc.constant('usual'),
      pick('none', 'zero', 'foreign', 'empty'),
    ),
    broken: breakage<{
      ttl?: number;
      code?: number;
      checksum?: number;
      length?: number;
      extensions?: readonly Extension[];
    }>(
      { ttl: 254 },
      { code: 1 },
      { checksum: 5 },
      { length: 20 },
      { extensions: [destinationOptions()] },
    ),
    unicast: fc.boolean(),
  })
  .map(({ on, told, sender, target, flags, options, broken, unicast }) => {
    const type = told ? 2 : 1;
    const option = {
      usual: linkLayerOption(type, PEER_MACS[on]),
      none: new Uint8Array(0),
      zero: linkLayerOption(type, '00:00:00:00:00:00'),
      foreign: Uint8Array.of(14, 1, 0, 0, 0, 0, 0, 0, ...linkLayerOption(type, PEER_MACS[on])),
      empty: new Uint8Array(8),
    }[options];
    const fields = { mac: PEER_MACS[on], sender, target, options: option, ...broken };
    if (told)
      return { on, frame: advertisement({ ...fields, to: 'fd00::1', dst: MACS[on], flags }) };
    return { on, frame: solicitation({ ...fields, ...(unicast ? { dst: MACS[on] } : {}) }) };
  });

/** Every peer says who it is, so that packets get through. */
export function introductions(): Arrival[] {
  const from = (on: number, sender: string, mac = PEER_MACS[on]) => {
    const world = sender.includes(':') ? WORLDS[1] : WORLDS[0];
    const target = world.own[on];
    if (world.family === 4)
      return { on, frame: arp({ operation: 1, senderMac: mac, sender, target }) };
    return { on, frame: solicitation({ mac, sender, target }) };
  };
  return WORLDS.flatMap(({ clients, backends, gateway }) => [
    from(0, clients[0]),
    from(1, backends[0]),
    from(1, backends[1]),
    from(2, gateway),
  ]);
}
