// SPDX-License-Identifier: Apache-2.0
// Frames from templates. What all frames of a kind have in common, and its share of the checksums,
// is in the template; `write` adds what differs: two addresses, two ports, flow and stamp.
//
// Payload: a magic number that tells the direction (2 bytes), the flow (4, the host's order), a
// stamp (8) where there is room, and a pattern that repeats every 8 bytes of the frame. The pattern
// behind the template's bytes is in the buffers already: see FramePool.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/endian.h"
#include "generator/population.h"

namespace sluice::generator {

enum class Direction : uint8_t { query, reply };  // to the backend, to the client

struct [[gnu::packed]] Tag {
  uint16_t magic;
  uint32_t flow;
  uint64_t stamp;
};
inline constexpr size_t kFlowTag = offsetof(Tag, stamp), kStampTag = sizeof(Tag);

inline uint16_t magic_of(Direction direction) {
  return direction == Direction::query ? 0x5351 : 0x5352;
}

inline uint8_t pattern_at(size_t offset) { return static_cast<uint8_t>(0xa0 | offset % 8); }

// Where things lie in a frame of the family.
struct Layout {
  explicit Layout(uint8_t family, uint8_t protocol);
  uint16_t ip_bytes, l4_bytes;
  uint16_t source, destination;  // of the addresses' last 32 bits
  uint16_t l4, l4_checksum, payload;
  bool ipv4;
};

struct TcpFields {
  uint8_t flags;
  uint32_t sequence, acknowledgement;
};

// What a template is made from.
struct FrameKind {
  const Population* population;
  Mac source_mac, destination_mac;
  Direction direction;
  uint16_t payload;  // bytes; fewer than the tag's: the tag is cut
  TcpFields tcp{};   // of TCP only
};

// One's complement sum of 16-bit words, from a sum of words of 16 or 32 bits.
inline uint16_t fold_words(uint64_t sum) {
  sum = (sum >> 32) + (sum & 0xffffffff);
  sum = (sum >> 16) + (sum & 0xffff);
  sum = (sum >> 16) + (sum & 0xffff);
  return static_cast<uint16_t>((sum >> 16) + (sum & 0xffff));
}

class FrameTemplate {
 public:
  explicit FrameTemplate(const FrameKind& kind);

  // Without FCS; at least 60.
  uint16_t length() const { return length_; }

  // Into a buffer of at least kBytes.
  void write(uint8_t* frame, Endpoint source, Endpoint destination, uint32_t flow,
             uint64_t stamp) const {
    if (is_short_) {
      std::memcpy(frame, bytes_, kBytes / 2);
    } else {
      std::memcpy(frame, bytes_, kBytes);
    }
    const uint32_t from = be32::from_host(source.address).raw;
    const uint32_t to = be32::from_host(destination.address).raw;
    const uint32_t ports =
        be16::from_host(source.port).raw | uint32_t{be16::from_host(destination.port).raw} << 16;
    std::memcpy(frame + layout_.source, &from, 4);
    std::memcpy(frame + layout_.destination, &to, 4);
    std::memcpy(frame + layout_.l4, &ports, 4);
    const uint64_t addresses = uint64_t{from} + to;
    uint64_t sum = l4_sum_ + addresses + ports;
    uint8_t* const tag = frame + layout_.payload;
    if (tagged_ >= kFlowTag) {
      std::memcpy(tag + offsetof(Tag, flow), &flow, 4);
      sum += flow;
    }
    if (tagged_ >= kStampTag) {
      std::memcpy(tag + offsetof(Tag, stamp), &stamp, 8);
      sum += (stamp >> 32) + (stamp & 0xffffffff);
    }
    if (layout_.ipv4) put_checksum(frame + kIpv4Checksum, fold_words(ip_sum_ + addresses));
    put_checksum(frame + layout_.l4_checksum, fold_words(sum));
  }

 private:
  static constexpr size_t kBytes = 128;  // the longest headers, and a tag
  static constexpr size_t kIpv4Checksum = 24;

  // In UDP 0 says that there is none. No header's words are all zero, so that a sum is never 0, and
  // a checksum is 0 where the sum is 0xffff.
  static void put_checksum(uint8_t* at, uint16_t sum) {
    const uint16_t checksum = sum == 0xffff ? sum : static_cast<uint16_t>(~sum);
    std::memcpy(at, &checksum, 2);
  }

  void fill(const FrameKind& kind);
  void sum_up(const FrameKind& kind);

  alignas(64) uint8_t bytes_[kBytes]{};
  Layout layout_;
  uint16_t length_;
  uint16_t tagged_;  // bytes of the tag
  bool is_short_;
  uint64_t ip_sum_ = 0, l4_sum_ = 0;
};

}  // namespace sluice::generator
