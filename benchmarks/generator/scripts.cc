// SPDX-License-Identifier: Apache-2.0
// What is said in a conversation. TCP's numbers follow from what has been said before.
#include "generator/dialogue.h"
#include "packet/headers.h"

namespace sluice::generator {
namespace {

constexpr uint32_t kSmallFrame = 64;
constexpr uint8_t kTcpPush = 0x08;

class TcpScript {
 public:
  explicit TcpScript(const Traffic& traffic) : traffic_(traffic) {}

  TcpScript& say(Direction speaker, uint8_t flags, uint16_t payload = 0) {
    const auto mine = static_cast<size_t>(speaker);
    FrameKind kind = frame_kind(traffic_, speaker);
    kind.payload = payload;
    kind.tcp = {flags, next_[mine], flags & kTcpAck ? next_[1 - mine] : 0};
    next_[mine] += payload + (flags & (kTcpSyn | kTcpFin) ? 1 : 0);
    script_.push_back(kind);
    return *this;
  }
  Script done() { return std::move(script_); }

 private:
  const Traffic& traffic_;
  uint32_t next_[2] = {kClientSequence, kBackendSequence};
  Script script_;
};

constexpr auto kClient = Direction::query, kBackend = Direction::reply;

}  // namespace

Script query_and_reply(const Traffic& traffic) {
  Script script = {frame_kind(traffic, kClient), frame_kind(traffic, kBackend)};
  for (FrameKind& kind : script) kind.payload = payload_of(traffic, kSmallFrame);
  return script;
}

Script tcp_handshake(const Traffic& traffic) {
  return TcpScript(traffic)
      .say(kClient, kTcpSyn)
      .say(kBackend, kTcpSyn | kTcpAck)
      .say(kClient, kTcpAck)
      .done();
}

Script tcp_connection(const Traffic& traffic) {
  TcpScript script(traffic);
  script.say(kClient, kTcpSyn).say(kBackend, kTcpSyn | kTcpAck).say(kClient, kTcpAck);
  if (traffic.run.data) {
    const uint16_t payload = payload_of(traffic, traffic.frame ? traffic.frame : kSmallFrame);
    script.say(kClient, kTcpPush | kTcpAck, payload).say(kBackend, kTcpPush | kTcpAck, payload);
    script.say(kClient, kTcpFin | kTcpAck);
  } else {
    script.say(kClient, kTcpFin | kTcpAck).say(kBackend, kTcpAck);
  }
  return script.say(kBackend, kTcpFin | kTcpAck).say(kClient, kTcpAck).done();
}

}  // namespace sluice::generator
