// SPDX-License-Identifier: Apache-2.0
#include "testing/bench_writes.h"

#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>

namespace sluice {
namespace {

constexpr greg_t kTrapFlag = 0x100;  // of EFLAGS: one instruction, then SIGTRAP

struct Range {
  uintptr_t begin, end;
  bool holds(uintptr_t address) const { return address >= begin && address < end; }
};

// What signal handlers work on: they can have no object of their own.
struct Watched {
  std::vector<Range> memory;
  std::vector<Range> pages;  // that the memory lies in
  std::vector<uintptr_t> lines;
  uintptr_t page;  // bytes
  Range open[2];   // pages that the store at hand may write: it can cross a border
  size_t open_count = 0;
  struct sigaction old_fault, old_trap;
};
Watched watched;

bool any_holds(const std::vector<Range>& ranges, uintptr_t address) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const Range& range) { return range.holds(address); });
}

void protect(const Range& range, int protection) {
  if (mprotect(reinterpret_cast<void*>(range.begin), range.end - range.begin, protection) != 0) {
    std::abort();
  }
}

void note_store(int, siginfo_t* info, void* context) {
  const auto address = reinterpret_cast<uintptr_t>(info->si_addr);
  const bool room = watched.lines.size() < watched.lines.capacity();
  if (!any_holds(watched.pages, address) || watched.open_count == std::size(watched.open) ||
      !room) {
    sigaction(SIGSEGV, &watched.old_fault, nullptr);  // no fault of ours: it comes again
    return;
  }
  if (any_holds(watched.memory, address))
    watched.lines.push_back(address / kCacheLine * kCacheLine);
  const uintptr_t page = address / watched.page * watched.page;
  watched.open[watched.open_count] = {page, page + watched.page};
  protect(watched.open[watched.open_count++], PROT_READ | PROT_WRITE);
  static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_EFL] |= kTrapFlag;
}

void stepped_over(int, siginfo_t*, void* context) {
  while (watched.open_count > 0) protect(watched.open[--watched.open_count], PROT_READ);
  static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_EFL] &= ~kTrapFlag;
}

struct sigaction handle(int signal, void (*handler)(int, siginfo_t*, void*)) {
  struct sigaction action {
  }, old{};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO;
  sigaction(signal, &action, &old);
  return old;
}

}  // namespace

WriteWatch::WriteWatch(const std::vector<std::span<const std::byte>>& memory) {
  constexpr size_t kMaxStores = 1 << 16;  // of one piece of work: the handler may not allocate
  const auto page = watched.page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  watched.lines.reserve(kMaxStores);
  watched.memory.clear();
  watched.pages.clear();
  for (const auto& piece : memory) {
    const auto begin = reinterpret_cast<uintptr_t>(piece.data()), end = begin + piece.size();
    watched.memory.push_back({begin, end});
    watched.pages.push_back({begin / page * page, (end + page - 1) / page * page});
  }
  watched.old_fault = handle(SIGSEGV, note_store);
  watched.old_trap = handle(SIGTRAP, stepped_over);
}

WriteWatch::~WriteWatch() {
  sigaction(SIGSEGV, &watched.old_fault, nullptr);
  sigaction(SIGTRAP, &watched.old_trap, nullptr);
}

void WriteWatch::begin() {
  watched.lines.clear();
  for (const Range& range : watched.pages) protect(range, PROT_READ);
}

std::vector<uintptr_t> WriteWatch::end() {
  for (const Range& range : watched.pages) protect(range, PROT_READ | PROT_WRITE);
  std::vector<uintptr_t>& lines = watched.lines;
  std::sort(lines.begin(), lines.end());
  lines.erase(std::unique(lines.begin(), lines.end()), lines.end());
  return lines;
}

}  // namespace sluice
