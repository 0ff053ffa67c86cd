// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InterfaceSpec } from '../../model/model.js';
import { ServiceProxy } from '../../proxy/service-proxy.js';
import { ownName, removeAbandoned } from './abandoned.js';
import { Children, waitFor } from './children.js';
import { Namespaces, POD_DEVICE } from './namespaces.js';
import { which } from './prerequisites.js';
import { scriptCommand } from './scripts.js';
import {
  CLIENT,
  ECHO_PODS,
  ECHO_ROUTES,
  POD_PORTS,
  PREFIX_LENGTH,
  type Seat,
  WEB_PODS,
} from './shop.js';
import { startEcho } from './testpmd.js';
import { askUdp, type ClientShell, curl, ping } from './traffic.js';
import type { Setting, World } from './world.js';

const READY_TIMEOUT_MS = 30_000;

/**
 * Pods in network namespaces behind taps, and two DPDK processes behind memif and vhost-user.
 * Whatever it makes is in `setting.cleanup`, also when it fails half-way.
 *
 * @throws SluiceError `ERR_ENGINE_UNAVAILABLE` if DPDK does not start: nothing has been made then
 */
export async function openNativeWorld(setting: Setting): Promise<World> {
  const { cleanup, signal, say } = setting;
  const proxy = await ServiceProxy.open({ engine: 'dpdk' });
  cleanup.defer('engine', () => proxy.close());
  const children = new Children();
  cleanup.defer(
    'processes',
    () => undefined,
    () => children.killAll(),
  );
  say(`engine: ${proxy.why}`);
  const abandoned = await removeAbandoned(children);
  if (abandoned.length > 0) say(`removed what an earlier demo left: ${abandoned.join(', ')}`);

  const namespaces = new Namespaces(children, cleanup);
  const folder = temporaryFolder(cleanup);
  const seats = [CLIENT, ...WEB_PODS];
  for (const seat of seats) await namespaces.add(seat, signal);
  // Undone from here up: the proxy takes its devices out of the namespaces before these go.
  cleanup.defer('devices', async () => {
    const left = await namespaces.devices();
    if (left.length > 0) throw new Error(left.join(', '));
  });
  cleanup.defer('interfaces', () => proxy.close());

  await proxy.apply({
    interfaces: [...seats.map((seat) => tap(seat, namespaces)), ...echoInterfaces(folder)],
    routes: ECHO_ROUTES,
  });
  for (const seat of seats) await namespaces.configure(seat, signal);
  await startServers(namespaces, children, setting);
  say(`${WEB_PODS.length} pods in network namespaces serve HTTP and UDP behind tap interfaces`);
  await startEchoes(proxy, children, folder, setting);
  say('2 pods echo UDP behind memif and vhost-user (dpdk-testpmd)');

  const shell: ClientShell = { children, namespace: namespaces.nameOf(CLIENT), signal };
  return {
    proxy,
    why: proxy.why,
    http: (target, requests) => curl(shell, target, requests),
    udp: (targets, requests) => askUdp(shell, targets, requests),
    ping: async (seat) => (which('ping') === null ? null : ping(shell, seat)),
    inventory: () =>
      `${namespaces.count} namespaces, ${children.started} processes, ${seats.length} taps, ` +
      `${ECHO_PODS.length} sockets`,
  };
}

async function startServers(
  namespaces: Namespaces,
  children: Children,
  { cleanup, signal }: Setting,
): Promise<void> {
  const servers = WEB_PODS.map((seat) => {
    const server = children.start('ip', [
      ...['netns', 'exec', namespaces.nameOf(seat), ...scriptCommand('pod-server')],
      ...[seat.name, String(POD_PORTS.http), String(POD_PORTS.dns)],
    ]);
    cleanup.defer(`process of ${seat.name}`, () => server.stop());
    return server;
  });
  for (const server of servers) await server.wrote('ready', READY_TIMEOUT_MS, signal);
}

async function startEchoes(
  proxy: ServiceProxy,
  children: Children,
  folder: string,
  { cleanup, signal }: Setting,
): Promise<void> {
  const echoes = ECHO_PODS.map((seat, index) => ({
    seat,
    process: startEcho(children, cleanup, seat, index, socketOf(folder, seat)),
  }));
  for (const { seat, process } of echoes)
    await waitFor(
      () => {
        process.assertRunning();
        return proxy.interfaces.get(seat.name)?.up === true;
      },
      { what: `interface ${seat.name}`, timeoutMs: READY_TIMEOUT_MS, signal },
    );
}

function temporaryFolder(cleanup: Setting['cleanup']): string {
  const folder = mkdtempSync(join(tmpdir(), ownName('')));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  cleanup.defer(`folder ${folder}`, remove, remove);
  return folder;
}

function tap(seat: Seat, namespaces: Namespaces): InterfaceSpec {
  return {
    kind: 'tap',
    name: seat.name,
    netns: namespaces.nameOf(seat),
    device: POD_DEVICE,
    addresses: [`${seat.gateway}/${PREFIX_LENGTH}`],
  };
}

function echoInterfaces(folder: string): InterfaceSpec[] {
  return ECHO_PODS.map((seat) => ({
    kind: seat.kind,
    name: seat.name,
    role: 'server',
    socket: socketOf(folder, seat),
    addresses: [`${seat.gateway}/${PREFIX_LENGTH}`],
  }));
}

function socketOf(folder: string, seat: Seat): string {
  return join(folder, `${seat.name}.sock`);
}
