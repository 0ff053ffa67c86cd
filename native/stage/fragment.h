// SPDX-License-Identifier: Apache-2.0
// Theory of operation. Gives later fragments the ports of the first one, and lets them wait for it
// where it has not come yet. The rules are FragmentTable's; what it sets free goes into
// `context.released` and follows the burst (docs/packet-path.md, "fragment").
#pragma once

#include <memory>

#include "packet/burst.h"
#include "stage/context.h"

namespace sluice {

void run_fragment(Burst& burst, Context& context);

// The table of a worker whose other members of `context` are set. The context must stay where it
// is.
std::unique_ptr<FragmentTable> make_fragments(Context& context);

// Whether the fragment stage has to do with a packet.
inline bool is_followed_fragment(const Packet& packet) {
  return packet.fragment != FragmentKind::none && packet.range.followed;
}

}  // namespace sluice
