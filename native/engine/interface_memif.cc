// SPDX-License-Identifier: Apache-2.0
#include "engine/interface_memif.h"

#include <rte_ether.h>

#include <charconv>

#include "engine/control_thread.h"
#include "engine/device_arguments.h"
#include "engine/memif_frames.h"

namespace sluice {
namespace {

// Links are looked at about every 50 ms; a client tries again at every tenth look.
constexpr uint32_t kLooksPerTry = 10;

// Empty: no number.
std::optional<uint32_t> id_of(const InterfaceRequest& request) {
  const std::string text = request.parameter("id", "0");
  const char* const end = text.data() + text.size();
  uint32_t id = 0;
  const auto [stopped, wrong] = std::from_chars(text.data(), end, id);
  return wrong == std::errc() && stopped == end ? std::optional(id) : std::nullopt;
}

}  // namespace

MemifInterface::MemifInterface(const InterfaceRequest& request, uint32_t id, rte_mempool* pool,
                               std::function<void()> wait_for_workers)
    : Interface(request),
      Endpoint({id, request.parameter("secret"), request.queues, request.name}),
      socket_(request.parameter("socket")),
      pool_(pool),
      wait_for_workers_(std::move(wait_for_workers)) {
  if (!request.has_mac) rte_eth_random_addr(mac);
}

Result<std::unique_ptr<Interface>> MemifInterface::make(const InterfaceRequest& request,
                                                        rte_mempool* pool,
                                                        std::function<void()> wait_for_workers) {
  if (Status wrong = check_socket_path(request)) return *wrong;
  const std::optional<uint32_t> id = id_of(request);
  if (!id) return Error{"ERR_INTERFACE", "not a number", "id"};
  std::unique_ptr<MemifInterface> made(
      new MemifInterface(request, *id, pool, std::move(wait_for_workers)));
  if (request.parameter("role", "server") == "client") {
    made->connect();  // its server may come later: link_up() goes on trying
  } else if (Status wrong = made->listen()) {
    return *wrong;
  }
  return std::unique_ptr<Interface>(std::move(made));
}

MemifInterface::~MemifInterface() {
  if (listener_) listener_->remove(*this);
  hang_up();
}

Status MemifInterface::listen() {
  std::shared_ptr<memif::Listener> listener = memif::Listener::at(socket_);
  if (!listener) {
    if (Status wrong = check_server_socket(socket_)) return wrong;
    Result<std::shared_ptr<memif::Listener>> made =
        memif::Listener::make(socket_, ControlThread::get());
    if (!made.ok()) return made.error();
    listener = std::move(made.value());
  }
  if (Status wrong = listener->add(*this)) return wrong;
  listener_ = std::move(listener);
  return {};
}

void MemifInterface::connect() {
  std::optional<memif::Channel> channel = memif::Channel::connect(socket_);
  if (!channel) return;
  Endpoint& self = *this;
  session_.emplace(std::move(*channel), self);
  ControlThread::get().watch(session_->descriptor(), [this] {
    if (!session_->advance()) hang_up();
  });
}

void MemifInterface::hang_up() {
  if (!session_) return;
  ControlThread::get().unwatch(session_->descriptor());
  session_.reset();
}

void MemifInterface::connected(std::unique_ptr<memif::Link> link) {
  link_.store(link.release(), std::memory_order_release);
}

void MemifInterface::disconnected() {
  const std::unique_ptr<memif::Link> link(link_.exchange(nullptr));
  wait_for_workers_();
}

uint16_t MemifInterface::rx(uint16_t queue, rte_mbuf** mbufs, uint16_t count) {
  memif::Link* const link = link_.load(std::memory_order_acquire);
  // The other side may have fewer rings than we have queues.
  if (!link || queue >= link->receive.size()) return 0;
  return receive_frames(*link, link->receive[queue], pool_, mbufs, count);
}

void MemifInterface::expect(uint16_t queue) {
  memif::Link* const link = link_.load(std::memory_order_acquire);
  if (link && queue < link->receive.size()) link->receive[queue].prefetch_count();
}

uint16_t MemifInterface::tx(uint16_t queue, rte_mbuf** mbufs, uint16_t count) {
  memif::Link* const link = link_.load(std::memory_order_acquire);
  if (!link) return 0;
  const size_t rings = link->transmit.size();
  if (rings >= queues) return send_frames(*link, link->transmit[queue], mbufs, count);
  rte_spinlock_lock(&sharing_);
  const uint16_t sent = send_frames(*link, link->transmit[queue % rings], mbufs, count);
  rte_spinlock_unlock(&sharing_);
  return sent;
}

bool MemifInterface::link_up() {
  if (link_.load(std::memory_order_relaxed)) return true;
  if (!listener_ && !session_ && ++looks_while_down_ % kLooksPerTry == 0) connect();
  return false;
}

}  // namespace sluice
