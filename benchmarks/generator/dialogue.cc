// SPDX-License-Identifier: Apache-2.0
#include "generator/dialogue.h"

#include <bit>

namespace sluice::generator {
namespace {

constexpr double kPatienceSeconds = 0.2;
constexpr uint32_t kLooksPerRound = 2;

}  // namespace

Dialogues::Dialogues(const Rig& rig, const Script& script, uint32_t window)
    : rig_(rig),
      flows_(rig.traffic.population),
      window_(window),
      patience_(static_cast<uint64_t>(kPatienceSeconds * static_cast<double>(rte_get_tsc_hz()))),
      // Twice as many, so that few flows find their place taken by one that is late.
      places_(std::bit_ceil(2 * window)),
      sent_before_(rig.client.sent() + rig.backend.sent()),
      received_before_(rig.client.received() + rig.backend.received()) {
  for (const FrameKind& kind : script) {
    lines_.push_back({FrameTemplate(kind), kind.direction, kind.tcp, kind.payload});
  }
}

Totals Dialogues::totals() const {
  return {rig_.client.sent() + rig_.backend.sent() - sent_before_,
          rig_.client.received() + rig_.backend.received() - received_before_, whole_, failed_};
}

Dialogues::Begun Dialogues::begin(uint32_t flow, uint64_t now) {
  if (under_way_ == window_ || rig_.client.waiting() + kMostBurst > Port::kOutbox) {
    return Begun::full;
  }
  Place& place = places_[flow & (places_.size() - 1)];
  if (place.taken) return Begun::busy;
  place = {flow, Checker::kUnknown, true, 0, now};
  ++under_way_;
  say(place, lines_[0]);
  return Begun::yes;
}

void Dialogues::say(const Place& place, const Line& line) {
  const bool query = line.direction == Direction::query;
  Port& port = query ? rig_.client : rig_.backend;
  rte_mbuf* mbuf = port.reserve_one();
  if (mbuf == nullptr) return;  // as if it were lost
  const Endpoint client = flows_.client(place.flow);
  const Endpoint other =
      query ? flows_.service(place.flow) : flows_.backend(place.flow, place.backend);
  line.frame.write(rte_pktmbuf_mtod(mbuf, uint8_t*), query ? client : other, query ? other : client,
                   place.flow, 0);
  mbuf->data_len = line.frame.length();
  mbuf->pkt_len = line.frame.length();
}

void Dialogues::go_on(uint64_t now) {
  hear(Direction::query);
  hear(Direction::reply);
  rig_.client.flush(rig_.traffic.burst);
  rig_.backend.flush(rig_.traffic.burst);
  give_up_old(now);
}

void Dialogues::hear(Direction direction) {
  Port& port = direction == Direction::query ? rig_.backend : rig_.client;
  // Whoever hears may have two lines to say.
  if (port.waiting() + 2 * rig_.traffic.burst > Port::kOutbox) return;
  rte_mbuf* mbufs[kMostBurst];
  const uint16_t count = port.receive(mbufs, rig_.traffic.burst);
  if (count == 0) return;
  for (uint16_t i = 0; i < count; ++i) __builtin_prefetch(rte_pktmbuf_mtod(mbufs[i], void*));
  for (uint16_t i = 0; i < count; ++i) {
    hear_frame(rte_pktmbuf_mtod(mbufs[i], const uint8_t*), mbufs[i]->data_len, direction);
  }
  rig_.checker.check_one_of(mbufs, count, direction);
  port.release(mbufs, count);
}

void Dialogues::hear_frame(const uint8_t* frame, uint32_t length, Direction direction) {
  const auto received = rig_.checker.reader().read(frame, length, direction);
  if (!received) return;
  const uint32_t flow = rig_.checker.flow_of(*received, direction);
  if (flow == UINT32_MAX) return;
  Place& place = places_[flow & (places_.size() - 1)];
  const Line& line = lines_[place.line];
  if (!place.taken || place.flow != flow || line.direction != direction ||
      !is_line(line, *received)) {
    return;  // its conversation fails, or has failed
  }
  if (direction == Direction::query) {
    const auto which = static_cast<uint16_t>(flows_.which_of(flow, received->destination));
    if (place.backend == Checker::kUnknown) place.backend = which;
    if (place.backend != which || !rig_.checker.learn(flow, *received)) return;
  }
  answer(place, place.line);
}

bool Dialogues::is_line(const Line& line, const Received& received) const {
  return received.payload_length == line.payload && received.tcp.flags == line.tcp.flags &&
         received.tcp.sequence == line.tcp.sequence &&
         received.tcp.acknowledgement == line.tcp.acknowledgement;
}

void Dialogues::answer(Place& place, size_t heard) {
  const size_t next = heard + 1;
  if (next == lines_.size()) {
    ++whole_;
    --under_way_;
    place.taken = false;
    return;
  }
  place.line = static_cast<uint8_t>(next);
  const Direction speaker = lines_[heard].direction;
  for (size_t at = next; at < lines_.size() && lines_[at].direction != speaker; ++at) {
    say(place, lines_[at]);
  }
}

void Dialogues::give_up_old(uint64_t now) {
  for (uint32_t i = 0; i < kLooksPerRound; ++i) {
    looked_at_ = (looked_at_ + 1) & static_cast<uint32_t>(places_.size() - 1);
    Place& place = places_[looked_at_];
    if (!place.taken || now - place.since < patience_) continue;
    place.taken = false;
    --under_way_;
    ++failed_;
    failed_flows_.push_back(place.flow);
  }
}

}  // namespace sluice::generator
