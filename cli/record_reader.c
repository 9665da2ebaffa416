/* SPDX-License-Identifier: BSD-2-Clause */
/* Input to records. See record_reader.h. */
#include "cli/record_reader.h"

#include <stdio.h>

void kl_record_reader_init(kl_record_reader *r, const kl_record_form *form)
{
    *r = (kl_record_reader){.form = form};
    kl_json_input_init(&r->json, &kl_mem_libc);
    kl_buf_init(&r->headers, &kl_mem_libc);
}

void kl_record_reader_deinit(kl_record_reader *r)
{
    kl_buf_deinit(&r->headers);
    kl_json_input_deinit(&r->json);
}

static bool is_blank(kloop_string piece)
{
    for (size_t i = 0; i < piece.len; i++) {
        char c = piece.data[i];
        if (c != ' ' && c != '\t' && c != '\r' && c != '\n')
            return false;
    }
    return true;
}

static void fill_in(const kl_record_form *form, kl_input_record *out)
{
    kloop_record *r = &out->record;
    if (!out->topic.data)
        out->topic = form->topic;
    if (!(r->set & KLOOP_SET_PARTITION) && form->partition >= 0) {
        r->set |= KLOOP_SET_PARTITION;
        r->partition = form->partition;
    }
    if (!out->has_key)
        r->key = form->key;
    if (!out->has_headers) {
        r->headers = form->headers;
        r->header_count = form->header_count;
    }
}

kl_record_read kl_record_reader_read(kl_record_reader *r, kloop_string piece, bool whole,
                                     kl_input_record *out, kl_input_fault *fault)
{
    static const kl_line_form only_value = {.strict = false};
    const kl_record_form *form = r->form;
    if (whole) {
        kl_line_form value = only_value;
        value.empty_is_null = form->lines.empty_is_null;
        kl_line_record_read(&value, piece, &r->headers, out, fault);
    } else if (form->json) {
        if (is_blank(piece))
            return KL_RECORD_NONE;
        if (!kl_json_input_read(&r->json, piece, out, fault))
            return KL_RECORD_BAD;
    } else {
        if (piece.len == 0 && form->skip_empty)
            return KL_RECORD_NONE;
        if (!kl_line_record_read(&form->lines, piece, &r->headers, out, fault))
            return KL_RECORD_BAD;
    }
    fill_in(form, out);
    if (out->topic.data)
        return KL_RECORD_READ;
    fault->byte = 0;
    snprintf(fault->text, sizeof fault->text, "it names no topic, and there is no -t TOPIC");
    return KL_RECORD_BAD;
}
