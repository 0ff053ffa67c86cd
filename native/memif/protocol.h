// SPDX-License-Identifier: Apache-2.0
// memif 2.0 as it is on the wire and in shared memory. The client makes the memory, regions of it,
// and the rings in it; a ring C2S carries frames to the server, S2C to the client. The client moves
// every ring's head and the server its tail, free-running: on C2S the slots between tail and head
// are full, on S2C they are empty. Source: FD.io memif (libmemif's memif.h), little endian as the
// machine.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sluice::memif {

inline constexpr uint16_t kVersion = 2 << 8;
inline constexpr uint32_t kRingCookie = 0x3e31f20;
inline constexpr uint16_t kMaxRegions = 256;
inline constexpr uint8_t kMaxLog2RingSize = 14;

enum class MessageType : uint16_t {
  none,
  ack,
  hello,
  init,
  add_region,
  add_ring,
  connect,
  connected,
  disconnect
};

struct [[gnu::packed]] Hello {
  char name[32];
  uint16_t min_version;
  uint16_t max_version;
  uint16_t max_region;  // highest index, as are the next two
  uint16_t max_s2c_ring;
  uint16_t max_c2s_ring;
  uint8_t max_log2_ring_size;
};

inline constexpr uint8_t kEthernetMode = 0;

struct [[gnu::packed]] Init {
  uint16_t version;
  uint32_t id;
  uint8_t mode;
  char secret[24];
  char name[32];
};

// With the file of the memory.
struct [[gnu::packed]] AddRegion {
  uint16_t index;
  uint64_t size;
};

inline constexpr uint16_t kRingToServer = 1;

// With an eventfd, which the sender of frames writes unless the receiver polls.
struct [[gnu::packed]] AddRing {
  uint16_t flags;
  uint16_t index;
  uint16_t region;
  uint32_t offset;
  uint8_t log2_size;
  uint16_t private_header_size;
};

struct [[gnu::packed]] Connect {  // and CONNECTED
  char interface_name[32];
};

struct [[gnu::packed]] Disconnect {
  uint32_t code;
  char reason[96];
};

struct [[gnu::packed]] alignas(8) Message {
  MessageType type;
  union {
    Hello hello;
    Init init;
    AddRegion add_region;
    AddRing add_ring;
    Connect connect;
    Disconnect disconnect;
    uint8_t bytes[126];
  };
};
static_assert(sizeof(Message) == 128);

inline constexpr uint16_t kMoreSlots = 1;  // the frame goes on in the next slot

struct Descriptor {
  uint16_t flags;
  uint16_t region;
  uint32_t length;
  uint32_t offset;
  uint32_t metadata;
};
static_assert(sizeof(Descriptor) == 16);

inline constexpr uint16_t kReceiverPolls = 1;

struct RingHeader {
  alignas(64) uint32_t cookie;
  uint16_t flags;
  uint16_t head;
  alignas(64) uint16_t tail;
};
static_assert(sizeof(RingHeader) == 128);

inline constexpr size_t ring_bytes(uint8_t log2_size) {
  return sizeof(RingHeader) + (sizeof(Descriptor) << log2_size);
}

}  // namespace sluice::memif
