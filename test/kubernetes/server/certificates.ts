// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** PEM texts. */
export interface Certificates {
  readonly ca: string;
  /** The server's. */
  readonly certificate: string;
  readonly key: string;
}

/** Makes an authority and a certificate for 127.0.0.1 by it, as files of a folder. */
export function makeCertificates(folder: string): Certificates {
  const at = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  };
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const names = 'DNS:localhost,DNS:kubernetes,DNS:kubernetes.default.svc,IP:127.0.0.1,IP:::1';
  writeFileSync(
    at('server.ext'),
    `subjectAltName=${names}\nextendedKeyUsage=serverAuth,clientAuth\n`,
  );
  openssl(
    ...['req', '-x509', ...ec, '-days', '30', '-subj', '/CN=test-ca'],
    ...['-keyout', at('ca.key'), '-out', at('ca.crt')],
  );
  openssl(
    ...['req', ...ec, '-subj', '/CN=kube-apiserver'],
    ...['-keyout', at('server.key'), '-out', at('server.csr')],
  );
  openssl(
    ...['x509', '-req', '-in', at('server.csr'), '-CA', at('ca.crt'), '-CAkey', at('ca.key')],
    ...['-CAcreateserial', '-days', '30', '-extfile', at('server.ext'), '-out', at('server.crt')],
  );
  return readCertificates(folder);
}

export function readCertificates(folder: string): Certificates {
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  return { ca: read('ca.crt'), certificate: read('server.crt'), key: read('server.key') };
}
