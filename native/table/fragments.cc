// SPDX-License-Identifier: Apache-2.0
#include "table/fragments.h"

#include <algorithm>
#include <utility>

#include "table/datagrams.h"

namespace sluice {
namespace {

constexpr size_t kMaxRanges = 128;

template <class F>
DatagramKey key_of(const Packet& packet) {
  const FiveTuple<F>& tuple = packet.tuple<F>();
  return {F::general(tuple.source),
          F::general(tuple.destination),
          packet.range.identification,
          packet.range.key_protocol,
          {}};
}

DatagramKey key_of(const Packet& packet) {
  return packet.version == 4 ? key_of<Ipv4>(packet) : key_of<Ipv6>(packet);
}

template <class F>
FirstFragment first_of(const Packet& packet) {
  const FiveTuple<F>& tuple = packet.tuple<F>();
  return {packet.type, tuple.protocol, tuple.source_port, tuple.destination_port, packet.hash};
}

FirstFragment first_of(const Packet& packet) {
  return packet.version == 4 ? first_of<Ipv4>(packet) : first_of<Ipv6>(packet);
}

template <class F>
void complete(FiveTuple<F>& tuple, const FirstFragment& first) {
  tuple.protocol = first.protocol;
  tuple.source_port = first.source_port;
  tuple.destination_port = first.destination_port;
}

void complete(Packet& packet, const FirstFragment& first) {
  packet.type = first.type;
  packet.hash = first.hash;
  if (packet.version == 4) {
    complete(packet.tuple4, first);
  } else {
    complete(packet.tuple6, first);
  }
}

ByteRange range_of(const Packet& packet) {
  return {packet.range.offset, packet.range.offset + packet.range.length};
}

bool has_range(const Datagram& datagram, const ByteRange& range) {
  return std::any_of(datagram.ranges.begin(), datagram.ranges.end(), [&](const ByteRange& other) {
    return other.begin == range.begin && other.end == range.end;
  });
}

bool contradicts(const Datagram& datagram, const ByteRange& range, bool more) {
  if (range.end > datagram.end || (!more && datagram.end != kEndUnknown)) return true;
  return std::any_of(datagram.ranges.begin(), datagram.ranges.end(), [&](const ByteRange& other) {
    return (range.begin < other.end && other.begin < range.end) || (!more && range.end < other.end);
  });
}

// What becomes of a fragment.
struct Verdict {
  Fate fate;  // pending, held or drop
  DropReason reason{};
  bool spoils = false;
};

constexpr Verdict kOverlap{Fate::drop, DropReason::fragment_overlap};
constexpr Verdict kQueueFull{Fate::drop, DropReason::fragment_queue_full};

// Rules 3 to 6. `datagram`: null where it would be a new one; `room`: one more packet may wait.
Verdict judge(const Datagram* datagram, const Packet& packet, bool room) {
  bool is_known = packet.fragment == FragmentKind::first;
  if (datagram != nullptr) {
    const ByteRange range = range_of(packet);
    if (datagram->spoilt || has_range(*datagram, range)) return kOverlap;
    if (contradicts(*datagram, range, packet.range.more)) {
      return {Fate::drop, DropReason::fragment_overlap, true};
    }
    if (datagram->ranges.size() == kMaxRanges) return kQueueFull;
    is_known |= datagram->has_first;
  }
  if (is_known) return {Fate::pending};
  return room ? Verdict{Fate::held} : kQueueFull;
}

}  // namespace

struct FragmentTable::State {
  State(const Limits& limits, Sink sink_)
      : sink(std::move(sink_)),
        timeout_s(limits.timeouts.fragment),
        datagrams(limits.fragments, limits.fragment_packets) {}

  bool is_over(const Datagram& datagram, uint32_t now_s) const {
    return (now_s > datagram.created_s ? now_s - datagram.created_s : 0) >= timeout_s;
  }
  void drop_waiting(Datagram& datagram, DropReason reason) {
    datagrams.empty(datagram, [&](const Packet& packet) { sink.dropped(packet, reason); });
  }
  void time_out(uint32_t number) {
    drop_waiting(datagrams.at(number), DropReason::fragment_timeout);
    datagrams.remove(number);
  }
  void note(Datagram& datagram, Packet& packet);

  Sink sink;
  uint32_t timeout_s;
  Datagrams datagrams;
};

// Rule 7; the packet's fate is decided.
void FragmentTable::State::note(Datagram& datagram, Packet& packet) {
  const ByteRange range = range_of(packet);
  datagram.ranges.push_back(range);
  datagram.covered += range.end - range.begin;
  if (!packet.range.more) datagram.end = range.end;
  if (packet.fate == Fate::held) return datagrams.wait(datagram, packet);
  if (packet.fragment == FragmentKind::later) return complete(packet, datagram.first);
  datagram.has_first = true;
  datagram.first = first_of(packet);
  datagrams.empty(datagram, [&](Packet& free) {
    complete(free, datagram.first);
    free.fate = Fate::pending;
    sink.released->push_back(free);
  });
}

FragmentTable::FragmentTable(const Limits& limits, Sink sink)
    : state_(std::make_unique<State>(limits, std::move(sink))) {}

FragmentTable::~FragmentTable() = default;

void FragmentTable::take(Packet& packet, uint32_t now_s) {
  Datagrams& datagrams = state_->datagrams;
  const DatagramKey key = key_of(packet);
  uint32_t number = datagrams.find(key);
  if (number != kNoDatagram && state_->is_over(datagrams.at(number), now_s)) {
    state_->time_out(number);
    number = kNoDatagram;
  }
  if (number == kNoDatagram) number = datagrams.make(key, now_s);
  if (number == kNoDatagram) return packet.drop(DropReason::fragment_table_full);
  Datagram& datagram = datagrams.at(number);
  const Verdict verdict = judge(&datagram, packet, datagrams.waiting() < datagrams.max_waiting());
  if (verdict.spoils) {
    datagram.spoilt = true;
    state_->drop_waiting(datagram, DropReason::fragment_overlap);
  }
  if (verdict.fate == Fate::drop) return packet.drop(verdict.reason);
  packet.fate = verdict.fate;
  state_->note(datagram, packet);
  if (datagram.covered == datagram.end) datagrams.remove(number);
}

bool FragmentTable::peek(Packet& packet, uint32_t now_s) const {
  const Datagrams& datagrams = state_->datagrams;
  const uint32_t number = datagrams.find(key_of(packet));
  const Datagram* datagram = number == kNoDatagram ? nullptr : &datagrams.at(number);
  uint32_t size = datagrams.size(), waiting = datagrams.waiting();
  if (datagram != nullptr && state_->is_over(*datagram, now_s)) {
    size--;
    waiting -= datagrams.count_waiting(*datagram);
    datagram = nullptr;
  }
  if (datagram == nullptr && size == datagrams.max_size()) {
    packet.drop(DropReason::fragment_table_full);
    return false;
  }
  const Verdict verdict = judge(datagram, packet, waiting < datagrams.max_waiting());
  packet.fate = verdict.fate;
  packet.reason = verdict.reason;
  const bool is_taught = packet.fragment == FragmentKind::later && datagram != nullptr &&
                         datagram->has_first && verdict.reason != DropReason::fragment_overlap;
  if (is_taught) complete(packet, datagram->first);
  return verdict.fate == Fate::pending;
}

void FragmentTable::expire(uint32_t now_s) {
  Datagrams& datagrams = state_->datagrams;
  while (datagrams.oldest() != kNoDatagram &&
         state_->is_over(datagrams.at(datagrams.oldest()), now_s)) {
    state_->time_out(datagrams.oldest());
  }
}

void FragmentTable::drop_from(uint16_t interface) {
  Datagrams& datagrams = state_->datagrams;
  for (uint32_t at = datagrams.oldest(); at != kNoDatagram; at = datagrams.newer(at)) {
    std::vector<Packet> others;
    datagrams.empty(datagrams.at(at), [&](const Packet& packet) {
      if (packet.in_interface == interface) {
        state_->sink.dropped(packet, DropReason::interface_removed);
      } else {
        others.push_back(packet);
      }
    });
    for (const Packet& packet : others) datagrams.wait(datagrams.at(at), packet);
  }
}

void FragmentTable::drain(const std::function<void(const Packet&)>& take) {
  Datagrams& datagrams = state_->datagrams;
  while (datagrams.oldest() != kNoDatagram) {
    datagrams.empty(datagrams.at(datagrams.oldest()), take);
    datagrams.remove(datagrams.oldest());
  }
}

uint32_t FragmentTable::datagrams() const { return state_->datagrams.size(); }

uint32_t FragmentTable::waiting() const { return state_->datagrams.waiting(); }

}  // namespace sluice
