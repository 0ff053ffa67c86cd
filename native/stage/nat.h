// SPDX-License-Identifier: Apache-2.0
// Theory of operation. New flows: a backend by affinity or Maglev, a source of ours where the
// frontend masquerades, and a port that makes the reply's five-tuple unique; and flows that are
// only tracked. What is to be done says a NatPlan; it is carried out here (docs/packet-path.md,
// "nat").
#pragma once

#include "packet/burst.h"
#include "stage/context.h"

namespace sluice {

template <class F>
void run_nat(Burst& burst, Context& context);

}  // namespace sluice
