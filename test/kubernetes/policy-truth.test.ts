// SPDX-License-Identifier: Apache-2.0
// Who may talk to whom, by policies that kubectl applies and connections of real programs.
import { POLICY_CASES } from '../support/policy-cases.js';
import { onNodes } from './node-suites.js';
import { PolicyNet } from './policy-net.js';
import { check, totals } from './policy-table.js';

const onEach = onNodes({}, (...args) => PolicyNet.open(...args));

for (const { name, policies } of POLICY_CASES) {
  onEach(`the truth table: ${name}`, async (t, net) => {
    await net.applyPolicies(policies);
    await check(t, net, name, net.given({ policies }));
    t.log(JSON.stringify(totals));
  });
}
