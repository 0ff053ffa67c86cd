// SPDX-License-Identifier: Apache-2.0
// Conversations by a script: who says what, in which order, each line in answer to the last one of
// the other side. One script for each use: a query and its reply, a TCP handshake, a TCP connection
// from SYN to the last ACK. Each flow has one conversation, many go on at a time.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "generator/frame.h"
#include "generator/outcome.h"
#include "generator/stream.h"

namespace sluice::generator {

using Script = std::vector<FrameKind>;

Script query_and_reply(const Traffic& traffic);
Script tcp_handshake(const Traffic& traffic);
Script tcp_connection(const Traffic& traffic);

class Dialogues {
 public:
  // `window`: conversations at a time.
  Dialogues(const Rig& rig, const Script& script, uint32_t window);

  enum class Begun { yes, busy, full };
  // Full: as many as may be. Busy: the flow's place is taken by another's; it may be tried later.
  Begun begin(uint32_t flow, uint64_t now);
  // Takes what has come to either side, answers, and sends what waits.
  void go_on(uint64_t now);
  // Flows whose conversations did not come to an end in time since this was called last.
  std::vector<uint32_t> take_failed() { return std::exchange(failed_flows_, {}); }

  uint32_t under_way() const { return under_way_; }
  Totals totals() const;

 private:
  struct Line {
    FrameTemplate frame;
    Direction direction;
    TcpFields tcp;
    uint16_t payload;
  };
  struct Place {
    uint32_t flow;
    uint16_t backend;
    bool taken;
    uint8_t line;    // that has been said last but not been heard
    uint64_t since;  // when the conversation began
  };

  void hear(Direction direction);
  void hear_frame(const uint8_t* frame, uint32_t length, Direction direction);
  bool is_line(const Line& line, const Received& received) const;
  void answer(Place& place, size_t heard);
  void say(const Place& place, const Line& line);
  void give_up_old(uint64_t now);

  const Rig& rig_;
  const Flows flows_;
  const uint32_t window_;
  const uint64_t patience_;
  std::vector<Line> lines_;
  std::vector<Place> places_;  // a power of two; a flow's is its last bits
  uint32_t under_way_ = 0;
  uint32_t looked_at_ = 0;  // the place whose age was looked at last
  uint64_t whole_ = 0, failed_ = 0;
  uint64_t sent_before_, received_before_;
  std::vector<uint32_t> failed_flows_;
};

}  // namespace sluice::generator
