/* SPDX-License-Identifier: BSD-2-Clause */
/* The JSON writer. What stands before a value is decided in one place, before_value; all else only
 * appends. */
#include "wiretools/json_write.h"

#include "base/check.h"
#include "base/base64.h"

#include <string.h>

void kl_json_write_init(kl_json_writer *w, kl_buf *out)
{
    *w = (kl_json_writer){.out = out};
}

bool kl_json_write_end(const kl_json_writer *w)
{
    KL_ASSERT(w->depth == 0);
    return !w->out->failed;
}

static bool in_object(const kl_json_writer *w)
{
    return w->depth > 0 && (w->objects >> (w->depth - 1) & 1) != 0;
}

static void before_value(kl_json_writer *w)
{
    KL_ASSERT(w->keyed == in_object(w));
    if (w->comma && !w->keyed && w->depth > 0)
        kl_buf_append_byte(w->out, ',');
    w->comma = true;
    w->keyed = false;
}

static void begin(kl_json_writer *w, bool object)
{
    KL_ASSERT(w->depth < KL_JSON_WRITE_DEPTH_MAX);
    before_value(w);
    kl_buf_append_byte(w->out, object ? '{' : '[');
    uint64_t bit = UINT64_C(1) << w->depth;
    w->objects = object ? w->objects | bit : w->objects & ~bit;
    w->depth++;
    w->comma = false;
}

static void end(kl_json_writer *w, bool object)
{
    KL_ASSERT(w->depth > 0 && in_object(w) == object && !w->keyed);
    kl_buf_append_byte(w->out, object ? '}' : ']');
    w->depth--;
    w->comma = true;
}

void kl_json_write_object_begin(kl_json_writer *w)
{
    begin(w, true);
}

void kl_json_write_object_end(kl_json_writer *w)
{
    end(w, true);
}

void kl_json_write_array_begin(kl_json_writer *w)
{
    begin(w, false);
}

void kl_json_write_array_end(kl_json_writer *w)
{
    end(w, false);
}

static void append_escape(kl_buf *out, uint8_t c)
{
    static const char short_names[0x20] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    char name = c < 0x20 ? short_names[c] : (char)c;
    if (name != 0) {
        kl_buf_append(out, (const char[]){'\\', name}, 2);
    } else {
        static const char digits[] = "0123456789ABCDEF";
        kl_buf_append(out, (const char[]){'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]}, 6);
    }
}

static void append_quoted(kl_buf *out, kloop_string s)
{
    kl_buf_append_byte(out, '"');
    size_t run = 0; /* where the present run of plain bytes began */
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = (uint8_t)s.data[i];
        if (c < 0x20 || c == '"' || c == '\\') {
            kl_buf_append(out, s.data + run, i - run);
            append_escape(out, c);
            run = i + 1;
        }
    }
    kl_buf_append(out, s.data + run, s.len - run);
    kl_buf_append_byte(out, '"');
}

void kl_json_write_key_string(kl_json_writer *w, kloop_string name)
{
    KL_ASSERT(in_object(w) && !w->keyed && name.data);
    if (w->comma)
        kl_buf_append_byte(w->out, ',');
    append_quoted(w->out, name);
    kl_buf_append_byte(w->out, ':');
    w->keyed = true;
}

void kl_json_write_key(kl_json_writer *w, const char *name)
{
    kl_json_write_key_string(w, (kloop_string){name, strlen(name)});
}

void kl_json_write_null(kl_json_writer *w)
{
    before_value(w);
    kl_buf_append_str(w->out, "null");
}

void kl_json_write_bool(kl_json_writer *w, bool value)
{
    before_value(w);
    kl_buf_append_str(w->out, value ? "true" : "false");
}

void kl_json_write_int64(kl_json_writer *w, int64_t value)
{
    char digits[20]; /* 19 and a sign */
    char *p = digits + sizeof(digits);
    uint64_t n = value < 0 ? -(uint64_t)value : (uint64_t)value;
    do {
        *--p = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    if (value < 0)
        *--p = '-';
    before_value(w);
    kl_buf_append(w->out, p, (size_t)(digits + sizeof(digits) - p));
}

void kl_json_write_string(kl_json_writer *w, kloop_string value)
{
    if (!value.data) {
        kl_json_write_null(w);
        return;
    }
    before_value(w);
    append_quoted(w->out, value);
}

void kl_json_write_text(kl_json_writer *w, const char *value)
{
    kl_json_write_string(w, (kloop_string){value, strlen(value)});
}

void kl_json_write_base64(kl_json_writer *w, kloop_slice bytes)
{
    if (!bytes.data) {
        kl_json_write_null(w);
        return;
    }
    before_value(w);
    kl_buf_append_byte(w->out, '"');
    size_t n = kl_base64_encoded_len(bytes.len);
    uint8_t *p = kl_buf_reserve(w->out, n, NULL);
    if (p) {
        kl_base64_encode((char *)p, bytes.data, bytes.len);
        kl_buf_commit(w->out, n);
    }
    kl_buf_append_byte(w->out, '"');
}

void kl_json_write_uuid(kl_json_writer *w, const kloop_uuid *id)
{
    char quoted[1 + KL_BASE64_UUID_CHARS + 1];
    quoted[0] = '"';
    kl_base64_encode_uuid(quoted + 1, id);
    quoted[sizeof(quoted) - 1] = '"';
    before_value(w);
    kl_buf_append(w->out, quoted, sizeof(quoted));
}
