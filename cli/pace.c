/* SPDX-License-Identifier: BSD-2-Clause */
/* An open schedule. See pace.h. */
#include "cli/pace.h"

#include <stdlib.h>
#include <string.h>

#define S_NS      1e9
#define PER_S_MAX 1e12
/* More than a hundred years, and less than a clock of 64 bits holds. */
#define NEVER_NS 4e18

void kl_pace_init(kl_pace *p, double records_per_s, double bytes_per_s)
{
    *p = (kl_pace){.record_ns = records_per_s > 0 ? S_NS / records_per_s : 0,
                   .byte_ns = bytes_per_s > 0 ? S_NS / bytes_per_s : 0};
}

static double later(double a, double b)
{
    return a > b ? a : b;
}

uint64_t kl_pace_due_ns(const kl_pace *p)
{
    if (p->start_ns == 0)
        return 0;
    double due_ns = later(p->next_record_ns, p->next_byte_ns);
    return p->start_ns + (uint64_t)(due_ns < NEVER_NS ? due_ns : NEVER_NS);
}

void kl_pace_took(kl_pace *p, uint64_t now_ns, size_t bytes)
{
    if (p->start_ns == 0)
        p->start_ns = now_ns;
    p->next_record_ns += p->record_ns;
    p->next_byte_ns += p->byte_ns * (double)bytes;
}

void kl_pace_waited(kl_pace *p, uint64_t now_ns)
{
    if (p->start_ns == 0 || now_ns < p->start_ns + KL_PACE_BEHIND_MAX_NS)
        return;
    double least = (double)(now_ns - KL_PACE_BEHIND_MAX_NS - p->start_ns);
    p->next_record_ns = later(p->next_record_ns, least);
    p->next_byte_ns = later(p->next_byte_ns, least);
}

/* ---- As people write it ---- */

static double take_unit(const char **at, bool of_bytes)
{
    static const char letters[] = "kmgt";
    double unit = 1;
    char c = **at;
    if (c >= 'A' && c <= 'Z')
        c = (char)(c - 'A' + 'a');
    const char *hit = c ? strchr(letters, c) : NULL;
    if (hit) {
        /* 30m would be minutes to some. */
        if (!of_bytes && **at == 'm')
            return 0;
        ++*at;
        double base = 1000;
        if (of_bytes && **at == 'i') {
            base = 1024;
            ++*at;
        }
        for (const char *step = letters; step <= hit; step++)
            unit *= base;
    }
    if (of_bytes && **at == 'B')
        ++*at;
    return unit;
}

static double seconds_of(const char *text)
{
    static const struct {
        const char *name;
        double seconds;
    } names[] = {{"", 1}, {"/s", 1}, {"/sec", 1}, {"/m", 60}, {"/min", 60}, {"/h", 3600}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(text, names[i].name) == 0)
            return names[i].seconds;
    }
    return 0;
}

bool kl_pace_parse(const char *text, bool of_bytes, double *per_s)
{
    char *end;
    bool digits = (text[0] >= '0' && text[0] <= '9') || text[0] == '.';
    /* No hexadecimal, no "1e3": what looks like a unit is one. */
    size_t len = strspn(text, "0123456789.");
    char number[32];
    if (!digits || len >= sizeof number)
        return false;
    memcpy(number, text, len);
    number[len] = '\0';
    double n = strtod(number, &end);
    if (*end != '\0')
        return false;
    const char *at = text + len;
    double unit = take_unit(&at, of_bytes);
    double seconds = seconds_of(at);
    if (unit == 0 || seconds == 0)
        return false;
    *per_s = n * unit / seconds;
    return *per_s > 0 && *per_s <= PER_S_MAX;
}
