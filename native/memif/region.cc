// SPDX-License-Identifier: Apache-2.0
#include "memif/region.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

namespace sluice::memif {

Region::Region(File file, uint8_t* data, uint64_t size)
    : file_(std::move(file)), data_(data), size_(size) {}

Region::Region(Region&& other) noexcept
    : file_(std::move(other.file_)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

Region::~Region() {
  if (data_) munmap(data_, size_);
}

std::optional<Region> Region::map(File file, uint64_t size) {
  struct stat status {};
  if (size == 0 || fstat(file.get(), &status) != 0) return {};
  // Beyond the file's end an access is a bus error.
  if (static_cast<uint64_t>(status.st_size) < size) return {};
  // Populated, so that no worker waits for a page.
  void* const data =
      mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, file.get(), 0);
  if (data == MAP_FAILED) return {};
  return Region(std::move(file), static_cast<uint8_t*>(data), size);
}

std::optional<Region> Region::create(uint64_t size) {
  File file(memfd_create("sluice-memif", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file || ftruncate(file.get(), static_cast<off_t>(size)) != 0) return {};
  if (fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK) != 0) return {};
  return map(std::move(file), size);
}

}  // namespace sluice::memif
