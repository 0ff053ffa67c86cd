// SPDX-License-Identifier: Apache-2.0
import type { Stats } from '../../observe/stats.js';
import type { ServiceView } from '../../observe/views.js';
import { type Cell, formatTable } from '../table.js';
import { percent } from './checks.js';
import { podAt } from './shop.js';

/** What the table shows at one moment. */
export interface Moment {
  /** Of any clock. */
  atMs: number;
  services: readonly ServiceView[];
  stats: Stats;
}

/** The table, as text without the last line feed. `before` is the moment that rates refer to. */
export function formatMoment(title: string, now: Moment, before: Moment | null): string {
  return [
    title,
    formatTable(
      ['service', 'address', 'backend', 'pod', 'connections', 'share'],
      serviceRows(now.services),
    ),
    formatTable(
      ['interface', '', 'rx packets', 'rx/s', 'tx packets', 'tx/s'],
      interfaceRows(now, before),
    ),
    summary(now.stats),
  ].join('\n\n');
}

/** Shortens every line, and the text, to what a terminal shows without wrapping or scrolling. */
export function crop(text: string, columns: number, rows: number): string {
  return text
    .split('\n')
    .slice(0, Math.max(1, rows - 1))
    .map((line) => line.slice(0, Math.max(1, columns - 1)))
    .join('\n');
}

function serviceRows(services: readonly ServiceView[]): Cell[][] {
  return services.flatMap(({ name, addresses, ports }) =>
    ports.flatMap(({ port, protocol, connections, backends }) =>
      backends.map((backend, index) => [
        index === 0 ? name : '',
        index === 0 ? `${addresses[0]}:${port}/${protocol}` : '',
        `${backend.address}:${backend.port}`,
        podAt(backend.address),
        backend.connections,
        percent(backend.connections / Math.max(1, connections)),
      ]),
    ),
  );
}

function interfaceRows(now: Moment, before: Moment | null): Cell[][] {
  const seconds = before === null ? 0 : (now.atMs - before.atMs) / 1_000;
  const rate = (value: number, previous: number | undefined): number =>
    previous === undefined || seconds <= 0 ? 0 : Math.round((value - previous) / seconds);
  return now.stats.interfaces.map((each) => {
    const earlier = before?.stats.interfaces.find(({ name }) => name === each.name);
    return [
      each.name,
      each.up ? 'up' : 'down',
      each.rxPackets,
      rate(each.rxPackets, earlier?.rxPackets),
      each.txPackets,
      rate(each.txPackets, earlier?.txPackets),
    ];
  });
}

function summary({ fates, flows }: Stats): string {
  const drops = Object.entries(fates.drops).map(([reason, count]) => `${count} ${reason}`);
  return [
    `Flows    ${flows.count} of ${flows.capacity}, ${flows.created} since the start`,
    `Packets  ${fates.rx} received: ${fates.forwarded} forwarded, ${fates.answered} answered, ` +
      `${fates.dropped} dropped, ${fates.held} waiting`,
    `Drops    ${drops.length === 0 ? 'none' : drops.join(', ')}`,
  ].join('\n');
}
