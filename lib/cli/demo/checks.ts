// SPDX-License-Identifier: Apache-2.0
import type { Protocol } from '../../model/model.js';
import type { Fates } from '../../observe/stats.js';
import type { ServiceView } from '../../observe/views.js';
import { podAt, type Target } from './shop.js';
import type { Answers } from './world.js';

/** One thing that the demo shows, and whether it holds. */
export interface Check {
  name: string;
  ok: boolean;
  detail: string;
}

/** Share of the connections that each of three equal backends may take. */
export const SPREAD = { least: 0.23, most: 0.43 } as const;

/** Every request was answered, by the pods that are to answer. */
export function answeredCheck(name: string, answers: Answers, pods: readonly string[]): Check {
  const strangers = [...answers.byPod.keys()].filter((pod) => !pods.includes(pod));
  const notes = [
    `${answers.answered} of ${answers.sent} requests answered`,
    ...(strangers.length > 0 ? [`unexpected: ${strangers.join(', ')}`] : []),
    ...(answers.remark === '' ? [] : [answers.remark]),
  ];
  return {
    name,
    ok: answers.answered === answers.sent && answers.sent > 0 && strangers.length === 0,
    detail: notes.join('; '),
  };
}

/** Each backend of a service got its share. */
export function spreadCheck(name: string, answers: Answers, pods: readonly string[]): Check {
  const shares = pods.map((pod) => (answers.byPod.get(pod) ?? 0) / Math.max(1, answers.answered));
  return {
    name,
    ok: shares.every((share) => share >= SPREAD.least && share <= SPREAD.most),
    detail: pods.map((pod, index) => `${pod} ${percent(shares[index]!)}`).join(', '),
  };
}

/** The pods answered as many requests as the engine assigned connections to them. */
export function countsCheck(
  name: string,
  answers: Answers,
  services: readonly ServiceView[],
  service: string,
): Check {
  const port = services.find((each) => each.name === service)?.ports[0];
  const rows = (port?.backends ?? []).map(({ address, connections }) => ({
    pod: podAt(address),
    connections,
    answered: answers.byPod.get(podAt(address)) ?? 0,
  }));
  return {
    name,
    ok: rows.length > 0 && rows.every(({ connections, answered }) => connections === answered),
    detail: rows
      .map(
        ({ pod, connections, answered }) =>
          `${pod} ${answered} answers, ${connections} connections`,
      )
      .join('; '),
  };
}

/** Every packet that came in has met exactly one fate. */
export function fatesCheck(fates: Fates): Check {
  const { rx, forwarded, answered, host, dropped, held } = fates;
  return {
    name: 'every packet accounted for',
    ok: rx > 0 && held === 0 && rx === forwarded + answered + host + dropped,
    detail: `rx ${rx} = forwarded ${forwarded} + answered ${answered} + host ${host} + dropped ${dropped}, held ${held}`,
  };
}

/** Nothing is left of the demo. */
export function cleanUpCheck(left: readonly string[], inventory: string): Check {
  return {
    name: 'cleaned up',
    ok: left.length === 0,
    detail: left.length === 0 ? `gone: ${inventory}` : `left behind: ${left.join('; ')}`,
  };
}

/** A run that broke off. */
export function brokenOff(error: unknown): Check {
  const detail = error instanceof Error ? error.message : String(error);
  return { name: 'run to the end', ok: false, detail };
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

/** Requests per service and backend, as the outcome shows them. */
export interface ServiceOutcome {
  name: string;
  address: string;
  port: number;
  protocol: Protocol;
  /** Requests that were answered. */
  requests: number;
  backends: { address: string; port: number; requests: number }[];
}

/** @param results - what came back, by target */
export function serviceOutcomes(
  services: readonly ServiceView[],
  results: readonly { target: Target; answers: Answers }[],
): ServiceOutcome[] {
  return services.flatMap((service) =>
    service.addresses.flatMap((address) =>
      service.ports.map(({ port, protocol, backends }) => {
        const answers = results.find(
          ({ target }) => target.address === address && target.port === port,
        )?.answers;
        const requestsOf = (backend: string): number => answers?.byPod.get(podAt(backend)) ?? 0;
        return {
          name: service.name,
          address,
          port,
          protocol,
          requests: answers?.answered ?? 0,
          backends: backends.map((backend) => ({
            address: backend.address,
            port: backend.port,
            requests: requestsOf(backend.address),
          })),
        };
      }),
    ),
  );
}
