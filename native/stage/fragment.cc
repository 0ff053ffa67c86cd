// SPDX-License-Identifier: Apache-2.0
#include "stage/fragment.h"

#include "stage/tx.h"

namespace sluice {

std::unique_ptr<FragmentTable> make_fragments(Context& context) {
  context.released.reserve(context.limits->fragment_packets);
  return std::make_unique<FragmentTable>(
      *context.limits,
      FragmentTable::Sink{&context.released, [&context](const Packet& packet, DropReason reason) {
                            drop_frame(context, packet.handle, reason);
                          }});
}

void run_fragment(Burst& burst, Context& context) {
  if (!burst.fragments) return;
  for (uint32_t i = 0; i < burst.count; i++) {
    Packet& packet = burst.packets[i];
    if (packet.fate == Fate::pending && is_followed_fragment(packet)) {
      context.fragments->take(packet, context.now_s);
    }
  }
}

}  // namespace sluice
