/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines to records. See line_record.h. */
#define _GNU_SOURCE
#include "cli/line_record.h"

#include "base/excerpt.h"

#include <stdio.h>
#include <string.h>

/* Cuts off what stands before the delimiter. false: it is not there. */
static bool cut(kloop_string *rest, kloop_string delimiter, kloop_string *head)
{
    const char *hit = memmem(rest->data, rest->len, delimiter.data, delimiter.len);
    if (!hit)
        return false;
    *head = (kloop_string){rest->data, (size_t)(hit - rest->data)};
    size_t used = head->len + delimiter.len;
    *rest = (kloop_string){rest->data + used, rest->len - used};
    return true;
}

static bool is_null_marker(const kl_line_form *form, kloop_string text)
{
    return form->null_marker.len > 0 && text.len == form->null_marker.len &&
           memcmp(text.data, form->null_marker.data, text.len) == 0;
}

static kloop_slice bytes_of(const kl_line_form *form, kloop_string text)
{
    if ((text.len == 0 && form->empty_is_null) || is_null_marker(form, text))
        return (kloop_slice){NULL, 0};
    return (kloop_slice){(const uint8_t *)text.data, text.len};
}

static bool refuse(kl_input_fault *fault, const char *what, kloop_string delimiter)
{
    char excerpt[KL_EXCERPT_SIZE];
    /* A tab would be a question mark otherwise. */
    bool tab = delimiter.len == 1 && delimiter.data[0] == '\t';
    snprintf(fault->text, sizeof fault->text, "there is no '%s' behind %s",
             tab ? "\\t" : kl_excerpt(excerpt, sizeof excerpt, delimiter), what);
    return false;
}

static bool read_header(const kl_line_form *form, kloop_string pair, kl_buf *headers,
                        kl_input_fault *fault)
{
    kloop_record_header header;
    if (!cut(&pair, form->header_key_separator, &header.key)) {
        char what[KL_EXCERPT_SIZE + 32], excerpt[KL_EXCERPT_SIZE];
        snprintf(what, sizeof what, "the name of header '%s'",
                 kl_excerpt(excerpt, sizeof excerpt, pair));
        return refuse(fault, what, form->header_key_separator);
    }
    header.value = (kloop_slice){(const uint8_t *)pair.data, pair.len};
    if (is_null_marker(form, pair))
        header.value = (kloop_slice){NULL, 0};
    if (kl_buf_append(headers, &header, sizeof header))
        return true;
    snprintf(fault->text, sizeof fault->text, "there is no memory for its headers");
    return false;
}

static bool read_headers(const kl_line_form *form, kloop_string text, kl_buf *headers,
                         kl_input_record *out, kl_input_fault *fault)
{
    kloop_string pair;
    out->has_headers = true;
    kl_buf_reset(headers);
    if (text.len == 0 || is_null_marker(form, text))
        return true;
    while (cut(&text, form->header_separator, &pair)) {
        if (!read_header(form, pair, headers, fault))
            return false;
    }
    if (!read_header(form, text, headers, fault))
        return false;
    out->record.headers = (const kloop_record_header *)(const void *)headers->data;
    out->record.header_count = (uint32_t)(headers->len / sizeof(kloop_record_header));
    return true;
}

bool kl_line_record_read(const kl_line_form *form, kloop_string line, kl_buf *headers,
                         kl_input_record *out, kl_input_fault *fault)
{
    kloop_string head;
    *out = (kl_input_record){.has_key = false};
    fault->byte = 0;
    if (form->headers_delimiter.len > 0) {
        if (cut(&line, form->headers_delimiter, &head)) {
            if (!read_headers(form, head, headers, out, fault))
                return false;
        } else if (form->strict) {
            return refuse(fault, "the headers", form->headers_delimiter);
        }
    }
    if (form->key_delimiter.len > 0) {
        if (cut(&line, form->key_delimiter, &head)) {
            out->has_key = true;
            out->record.key = bytes_of(form, head);
        } else if (form->strict) {
            return refuse(fault, "the key", form->key_delimiter);
        }
    }
    out->record.value = bytes_of(form, line);
    return true;
}
