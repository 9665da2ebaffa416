/* SPDX-License-Identifier: BSD-2-Clause */
/* Guessing at strangers. See peer_text.h. */
#include "core/peer_text.h"

#include <stdio.h>
#include <string.h>

static const char *guess(const uint8_t *bytes, size_t len)
{
    static const struct {
        const char *start;
        size_t len;
        const char *what;
    } known[] = {
        {"HTTP", 4, "looks like HTTP: an HTTP server or proxy listens there"},
        {"\x15\x03", 2,
         "looks like a TLS alert: the listener speaks TLS, security.protocol does not"},
        {"\x16\x03", 2, "looks like TLS: the listener speaks TLS, security.protocol does not"},
        {"SSH-", 4, "looks like SSH"},
        {"220 ", 4, "looks like SMTP or FTP"},
        {"-ERR", 4, "looks like Redis"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (len >= known[i].len && memcmp(bytes, known[i].start, known[i].len) == 0)
            return known[i].what;
    return "its first four bytes are no length of an answer that receive.message.max.bytes allows";
}

bool kl_peer_text(const uint8_t *bytes, size_t len, char *text, size_t size)
{
    char hex[3 * 12 + 1] = "";
    size_t shown = len < 12 ? len : 12;
    for (size_t i = 0; i < shown; i++)
        snprintf(hex + 3 * i, 4, "%02x ", bytes[i]);
    snprintf(text, size, "%s%s%s", hex, len > shown ? "... " : "", guess(bytes, len));
    return len > 1 && (bytes[0] == 0x15 || bytes[0] == 0x16) && bytes[1] == 3;
}
