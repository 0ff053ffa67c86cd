// SPDX-License-Identifier: Apache-2.0
import {
  answeredCheck,
  type Check,
  countsCheck,
  fatesCheck,
  type ServiceOutcome,
  serviceOutcomes,
  spreadCheck,
} from './checks.js';
import type { ClusterShop } from './cluster-shop.js';
import { fatesOutcome, type Outcome } from './outcome.js';
import { showRollout } from './rollout.js';
import { settledFates } from './settle.js';
import { CLIENT, ECHO_PODS, podAt, targetOf, UDP_SERVICES, WEB_PODS } from './shop.js';
import type { Answers, Setting, World } from './world.js';

const HTTP_CONNECTIONS = 600;
const UDP_REQUESTS = 120;

/** What a world showed, as far as is known before it is taken down. */
export interface Shown {
  checks: Check[];
  services: ServiceOutcome[];
  fates: Outcome['fates'];
}

/**
 * Sends everything once and looks whether what should be so is so.
 * @param shop - `null`: the services are not those of a cluster
 */
export async function showOnce(
  world: World,
  shop: ClusterShop | null,
  setting: Setting,
): Promise<Shown> {
  const { signal, say } = setting;
  const { proxy } = world;
  const web = targetOf(proxy.services, 'web');
  const udpTargets = UDP_SERVICES.map((name) => targetOf(proxy.services, name));
  const pinged = await world.ping(CLIENT);

  say(
    `${UDP_REQUESTS} UDP requests to each of ${udpTargets.map((each) => each.service).join(', ')}`,
  );
  const udp = await world.udp(udpTargets, UDP_REQUESTS);
  say(`${HTTP_CONNECTIONS} HTTP connections to http://${web.address}:${web.port}`);
  const http = await world.http(web, HTTP_CONNECTIONS);
  const settled = await settledFates(proxy, signal);
  const { services } = proxy;
  const followed = shop === null ? [] : [await showRollout(world, shop, web, setting)];
  const fates = shop === null ? settled : await settledFates(proxy, signal);

  const results = [
    { target: web, answers: http },
    ...udpTargets.map((target, index) => ({ target, answers: udp[index]! })),
  ];
  const pods = WEB_PODS.map(({ name }) => name);
  return {
    checks: [
      answeredCheck('http answered', http, pods),
      spreadCheck('http spread', http, pods),
      countsCheck('http counts agree', http, services, web.service),
      ...udpTargets.map(({ service }, index) =>
        answeredCheck(udpCheckName(service), udp[index]!, podsOf(world, service)),
      ),
      ...pingCheck(pinged),
      ...followed,
      fatesCheck(fates),
    ],
    services: serviceOutcomes(services, results),
    fates: fatesOutcome(fates),
  };
}

function udpCheckName(service: string): string {
  return `${ECHO_PODS.find(({ name }) => name === service)?.kind ?? service} answered`;
}

function podsOf(world: World, service: string): string[] {
  const found = world.proxy.services.find(({ name }) => name === service);
  return (found?.ports ?? []).flatMap(({ backends }) =>
    backends.map(({ address }) => podAt(address)),
  );
}

function pingCheck(answers: Answers | null): Check[] {
  return answers === null ? [] : [answeredCheck('ping answered', answers, ['gateway'])];
}
