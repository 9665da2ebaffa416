/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys and values as JSON. See record_json.h. */
#include "cli/record_json.h"

#include "base/utf8.h"

void kl_record_json_bytes(kl_json_writer *json, const char *name, const char *name64,
                          kloop_slice bytes)
{
    kloop_string text = {(const char *)bytes.data, bytes.len};
    if (!text.data || kl_utf8_valid_len(text.data, text.len) == text.len) {
        kl_json_write_key(json, name);
        kl_json_write_string(json, text);
    } else {
        kl_json_write_key(json, name64);
        kl_json_write_base64(json, bytes);
    }
}

const char *kl_record_json_outcome(bool unknown)
{
    return unknown ? "unknown" : "failed";
}
