// SPDX-License-Identifier: Apache-2.0
// A ring as its receiver or its sender has it. Either side moves one of head and tail and reads the
// other's; which one depends on who is client (protocol.h), what is done with them does not.
#pragma once

#include <cstdint>
#include <cstring>

#include "base/prefetch.h"
#include "memif/file.h"
#include "memif/protocol.h"

namespace sluice::memif {

enum class Role : uint8_t { server, client };

// Of the buffers that a client makes.
inline constexpr uint32_t kBufferBytes = 2048;

class Ring {
 public:
  static constexpr uint32_t kSlotsOfLine = 64 / sizeof(Descriptor);

  uint16_t size() const { return static_cast<uint16_t>(mask_ + 1); }
  // The n-th slot from here, as it is now.
  Descriptor slot(uint32_t n) const {
    Descriptor copy;
    std::memcpy(&copy, const_cast<const Descriptor*>(place(n)), sizeof(copy));
    asm volatile("" : "+m"(copy));  // so that it is not read again later, when it may be another
    return copy;
  }

 protected:
  Ring(RingHeader* header, uint8_t log2_size, Role role)
      : header_(header),
        slots_(reinterpret_cast<Descriptor*>(header + 1)),
        mask_(static_cast<uint16_t>((1u << log2_size) - 1)),
        role_(role) {}

  Descriptor* place(uint32_t n) const { return &slots_[(next_ + n) & mask_]; }
  // Slots that the other side has passed on up to `limit`; none if it says nonsense.
  uint16_t count_to(uint16_t limit) const {
    const auto count = static_cast<uint16_t>(limit - next_);
    return count <= size() ? count : uint16_t{0};
  }
  static uint16_t load(const uint16_t& index) { return __atomic_load_n(&index, __ATOMIC_ACQUIRE); }
  static void store(uint16_t& index, uint16_t value) {
    __atomic_store_n(&index, value, __ATOMIC_RELEASE);
  }

  RingHeader* header_;
  Descriptor* slots_;
  uint16_t mask_;
  uint16_t next_ = 0;  // ours, of which the shared one is a copy
  Role role_;
};

class alignas(64) ReceiveRing : public Ring {
 public:
  ReceiveRing(RingHeader* header, uint8_t log2_size, Role role) : Ring(header, log2_size, role) {
    __atomic_store_n(&header->flags, kReceiverPolls, __ATOMIC_RELAXED);
  }

  // What says how many slots are full, on its way.
  [[gnu::always_inline]] void prefetch_count() const {
    __builtin_prefetch(role_ == Role::server ? &header_->head : &header_->tail);
  }
  // The first `count` slots, and what giving them back writes.
  void prefetch(uint32_t count) const {
    prefetch_to_write(role_ == Role::server ? &header_->tail : &header_->head);
    for (uint32_t n = 0; n < count; n += kSlotsOfLine) __builtin_prefetch(place(n));
    if (count != 0) __builtin_prefetch(place(count - 1));
  }
  uint16_t full() const {
    return count_to(load(role_ == Role::server ? header_->head : header_->tail));
  }
  // The first `count` slots may be filled again. A client offers all of its buffers by giving none
  // back.
  void give_back(uint16_t count) {
    if (role_ == Role::server) {
      next_ = static_cast<uint16_t>(next_ + count);
      store(header_->tail, next_);
      return;
    }
    for (uint32_t n = 0; n < count; ++n) {
      place(n)->flags = 0;
      place(n)->length = kBufferBytes;
    }
    next_ = static_cast<uint16_t>(next_ + count);
    store(header_->head, static_cast<uint16_t>(next_ + size()));
  }
};

class alignas(64) TransmitRing : public Ring {
 public:
  TransmitRing(RingHeader* header, uint8_t log2_size, Role role, File event)
      : Ring(header, log2_size, role), event_(std::move(event)) {}

  // The first `count` slots, and what passing them on writes.
  void prefetch(uint32_t count) const {
    prefetch_to_write(role_ == Role::server ? &header_->tail : &header_->head);
    for (uint32_t n = 0; n < count; n += kSlotsOfLine) prefetch_to_write(place(n));
    if (count != 0) prefetch_to_write(place(count - 1));
  }
  uint16_t empty() const {
    return role_ == Role::server ? count_to(load(header_->head))
                                 : count_to(static_cast<uint16_t>(load(header_->tail) + size()));
  }
  // What wakes the receiver.
  int event() const { return event_.get(); }
  // Bytes that this slot takes.
  uint32_t room(const Descriptor& slot) const {
    return role_ == Role::server ? slot.length : kBufferBytes;
  }
  void fill(uint32_t n, uint32_t length, uint16_t flags) {
    place(n)->flags = flags;
    place(n)->length = length;
  }
  // The first `count` slots are filled.
  void pass_on(uint16_t count) {
    next_ = static_cast<uint16_t>(next_ + count);
    store(role_ == Role::server ? header_->tail : header_->head, next_);
    const uint16_t flags = __atomic_load_n(&header_->flags, __ATOMIC_RELAXED);
    if ((flags & kReceiverPolls) == 0) [[unlikely]]
      wake();
  }

 private:
  void wake() {
    const uint64_t one = 1;
    (void)!write(event_.get(), &one, sizeof(one));
  }

  File event_;
};

}  // namespace sluice::memif
