/* SPDX-License-Identifier: BSD-2-Clause */
/* What came of it: lines of the transcript, fates of records. See engine_host.h. */
#include "tests/support/engine_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* ---- Transcript ---- */

size_t host_count_lines(const host *h, const char *part)
{
    size_t count = 0;
    const char *line = h->transcript ? h->transcript : "";
    while (*line) {
        const char *end = strchr(line, '\n');
        const char *found = strstr(line, part);
        count += found && found < end;
        line = end + 1;
    }
    return count;
}

void host_expect_line(const host *h, const char *part)
{
    if (host_count_lines(h, part) == 0)
        fail_msg("no line has '%s':\n%s", part, h->transcript ? h->transcript : "");
}

void host_expect_no_line(const host *h, const char *part)
{
    if (host_count_lines(h, part) > 0)
        fail_msg("a line has '%s':\n%s", part, h->transcript);
}

void host_forget_lines(host *h)
{
    h->transcript_len = 0;
    if (h->transcript)
        h->transcript[0] = '\0';
}

/* ---- Fates ---- */

host_fate *host_fate_of(const host *h, size_t user)
{
    if (user == 0 || user > h->user_count || !h->fates[user].accepted)
        fail_msg("there is no user %zu", user);
    return &h->fates[user];
}

const host_report *host_report_of(const host *h, size_t user)
{
    const host_fate *f = host_fate_of(h, user);
    if (!f->reported)
        fail_msg("user %zu is not reported:\n%.4000s", user, h->transcript);
    return &h->reports[f->report];
}

void host_expect_fate(host *h, size_t first, size_t last, kloop_outcome outcome, kloop_cause cause)
{
    for (size_t user = first; user <= last; user++) {
        const host_report *r = host_report_of(h, user);
        if (r->outcome != outcome || r->cause != cause)
            fail_msg("user %zu: outcome %d and cause %d, not %d and %d: %s", user, (int)r->outcome,
                     (int)r->cause, (int)outcome, (int)cause, r->text);
        /* Reports of one partition come in the order of sending. */
        if (user > first && host_report_of(h, user - 1)->partition == r->partition)
            assert_true(h->fates[user - 1].order < h->fates[user].order);
    }
}

void host_expect_acked(host *h, size_t first, size_t last)
{
    host_expect_fate(h, first, last, KLOOP_OUTCOME_ACKED, KLOOP_CAUSE_NONE);
}

void host_expect_pending(host *h, size_t first, size_t last)
{
    for (size_t user = first; user <= last; user++)
        if (host_fate_of(h, user)->reported)
            fail_msg("user %zu is reported: %s", user, host_report_of(h, user)->text);
}

void host_expect_offset(host *h, size_t user, int64_t offset)
{
    host_report_of(h, user);
    assert_int_equal(h->fates[user].offset, offset);
}

void host_expect_text(host *h, size_t user, const char *part)
{
    if (!strstr(host_report_of(h, user)->text, part))
        fail_msg("'%s' has no '%s'", host_report_of(h, user)->text, part);
}
