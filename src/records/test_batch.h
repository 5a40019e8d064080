// What the counters' tests share: records written into a batch, and read back as a reader would
// pass them.
#pragma once

#include <vector>

#include "records/records.h"

namespace nando {

struct TestRecords {
  BatchBuilder builder;

  // Views of what was added, valid until more is.
  std::vector<RecordView> views() const {
    std::vector<RecordView> out;
    ByteReader count(builder.count_part());
    ByteReader detail(builder.detail_part());
    for (std::uint32_t i = 0; i < builder.records(); ++i) {
      RecordView view;
      view.kind = count.fixed<std::uint8_t>();
      view.version = count.fixed<std::uint8_t>();
      view.count = count.sized();
      view.detail = detail.sized();
      out.push_back(view);
    }
    return out;
  }
};

}  // namespace nando
