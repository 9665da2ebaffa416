/* SPDX-License-Identifier: BSD-2-Clause */
/* A long text through a short buffer. See text_window.h. */
#include "driver/text_window.h"

#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void kl_text_put(kl_text_window *w, const char *bytes, size_t len)
{
    if (w->skip >= len) {
        w->skip -= len;
        return;
    }
    bytes += w->skip;
    len -= w->skip;
    w->skip = 0;
    size_t room = w->room - w->len;
    if (len > room) {
        w->full = true;
        len = room;
    }
    memcpy(w->to + w->len, bytes, len);
    w->len += len;
}

void kl_text_put_text(kl_text_window *w, const char *text)
{
    kl_text_put(w, text, strlen(text));
}

void kl_text_print(kl_text_window *w, const char *format, ...)
{
    char text[KL_TEXT_PRINT_MAX];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (len > 0)
        kl_text_put(w, text, (size_t)len < sizeof text ? (size_t)len : sizeof text - 1);
}

/* Of the character at i; 0: these bytes are none. */
static size_t length_at(kloop_string s, size_t i)
{
    unsigned char lead = (unsigned char)s.data[i];
    size_t len = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    return len <= s.len - i && kl_utf8_valid_len(s.data + i, len) == len ? len : 0;
}

void kl_text_put_json(kl_text_window *w, kloop_string s)
{
    kl_text_put(w, "\"", 1);
    for (size_t i = 0; i < s.len;) {
        size_t len = length_at(s, i);
        unsigned char c = (unsigned char)s.data[i];
        if (len == 0)
            kl_text_put_text(w, "\\ufffd");
        else if (c == '"' || c == '\\')
            kl_text_print(w, "\\%c", c);
        else if (c < 0x20)
            kl_text_print(w, "\\u%04x", c);
        else
            kl_text_put(w, s.data + i, len);
        i += len ? len : 1;
    }
    kl_text_put(w, "\"", 1);
}

void kl_text_put_label(kl_text_window *w, kloop_string s)
{
    kl_text_put(w, "\"", 1);
    for (size_t i = 0; i < s.len;) {
        size_t len = length_at(s, i);
        if (len == 0)
            kl_text_put_text(w, "\xef\xbf\xbd");
        else if (s.data[i] == '"' || s.data[i] == '\\')
            kl_text_print(w, "\\%c", s.data[i]);
        else if (s.data[i] == '\n')
            kl_text_put_text(w, "\\n");
        else
            kl_text_put(w, s.data + i, len);
        i += len ? len : 1;
    }
    kl_text_put(w, "\"", 1);
}

void kl_text_put_millionths(kl_text_window *w, uint64_t n)
{
    kl_text_print(w, "%llu.%06llu", (unsigned long long)(n / 1000000),
                  (unsigned long long)(n % 1000000));
}
