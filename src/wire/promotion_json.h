// What is published about a promotion, as JSON: the answer of GET /api/v1/promotions/NAME, and what
// `promotion verify` and tools/check_draw.py read. Field by field: docs/formats/promotion.md.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "prizes/proof.h"

namespace nando {

// One line, without a newline at its end. Some 200 bytes a window.
std::string write_proof(const Proof& proof);

// Reads what write_proof() writes, white space and order of keys aside. Code::invalid, naming the
// field ("windows[3].seed"), for anything else: a missing or unknown key, another type, a number
// out of its range, hex digits in upper case. Whether the proof holds is check_proof()'s to say.
Result<Proof> read_proof(std::string_view text);

}  // namespace nando
