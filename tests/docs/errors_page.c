/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes docs/ERRORS.md from the table of codes and the policy over it, so that the page cannot say
 * anything else than the engine does.
 */
#include "core/policy.h"
#include "tests/docs/page.h"

#include <kloop/broker_error.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* ---- Produce ---- */

typedef struct chapter {
    kl_verdict verdict;
    const char *title;
    const char *text;
} chapter;

static const chapter chapters[] = {
    {KL_VERDICT_DONE, "Stored", "The records are acked, with the offset of the answer."},
    {KL_VERDICT_DONE_BEFORE, "Stored by an earlier attempt",
     "The records are acked; their offset is not known (-1)."},
    {KL_VERDICT_RETRY, "Sent again",
     "The same batch, with the same numbers unless one before it was given up, after a pause of\n"
     "`retry.backoff.ms`, which doubles up to `retry.backoff.max.ms`; at once when a newer leader "
     "is known. It ends with `retries` or\n"
     "`delivery.timeout.ms`. You need do nothing; when records run out of time by it, the report "
     "names\n"
     "the code, and the advice below is for you."},
    {KL_VERDICT_SEQUENCE, "The broker counts otherwise",
     "Batches before it that are under way are waited for. If it is the first one that is not "
     "settled,\n"
     "the epoch of the producer id is raised, without a request, and the partition numbers its "
     "batches\n"
     "anew from 0. A batch of which an earlier attempt may have been stored is never renumbered: "
     "its\n"
     "records are UNKNOWN."},
    {KL_VERDICT_SPLIT, "Sent in smaller pieces",
     "A batch of several records is taken apart and sent in halves, in order, as often as it "
     "takes; later\n"
     "batches of the topic are made smaller. A single record has failed. A batch of which an "
     "earlier\n"
     "attempt may have been stored is not taken apart: its records are UNKNOWN."},
    {KL_VERDICT_FAIL, "Given up",
     "The records are FAILED if every attempt was proved not stored, else UNKNOWN. With a producer "
     "id the\n"
     "epoch is raised, so that what comes behind them is delivered. Where the broker names the "
     "records\n"
     "that it does not like, and no earlier attempt may have been stored, the others are sent "
     "again\n"
     "without them."},
    {KL_VERDICT_FATAL, "The end of this producer",
     "With a producer id nothing else of this producer can be delivered: all that is pending is "
     "reported,\n"
     "and `kloop_send()` answers `KLOOP_FATAL` from then on. Do what the text says, then open "
     "another one.\n"
     "Without a producer id only the batch is given up."},
};

static const char *stored_word(const kl_ruling *r)
{
    if (r->verdict == KL_VERDICT_DONE || r->verdict == KL_VERDICT_DONE_BEFORE)
        return "yes";
    return r->maybe_stored ? "perhaps" : "no";
}

static const char *refresh_word(const kl_ruling *r)
{
    return r->refresh ? "yes" : "";
}

/* Of all codes, also of those whose texts the library leaves out. */
static const char *const texts[] = {
#define ROW(name, code, classes, text) text,
    KLOOP_BROKER_ERROR_MAP(ROW)
#undef ROW
};

static void put_chapter(const chapter *c)
{
    page_print("\n### %s\n\n", c->title);
    page_print("%s\n\n", c->text);
    page_put(
        "| code | name | stored by this attempt? | asks for metadata | what it means, and what to "
        "do |\n"
        "|---|---|---|---|---|\n");
    for (size_t i = 0; i < kloop_broker_error_count(); i++) {
        const kloop_broker_error *e = kloop_broker_error_at(i);
        kl_ruling r = kl_policy(KL_QUESTION_IDEMPOTENT, e->code);
        if (r.verdict == c->verdict)
            page_print("| %d | %s | %s | %s | %s |\n", (int)e->code, e->name, stored_word(&r),
                       refresh_word(&r), texts[i]);
    }
}

/* The names of all codes that a question rules so. */
static void put_names(kl_question question, kl_verdict verdict)
{
    bool first = true;
    size_t column = 0;
    for (size_t i = 0; i < kloop_broker_error_count(); i++) {
        const kloop_broker_error *e = kloop_broker_error_at(i);
        if (kl_policy(question, e->code).verdict != verdict)
            continue;
        char name[80];
        int len =
            snprintf(name, sizeof name, "%s%s (%d)", first ? "" : ", ", e->name, (int)e->code);
        if (column > 90) {
            page_put(",\n");
            memmove(name, name + 2, strlen(name + 2) + 1);
            column = 0;
        }
        page_put(name);
        column += (size_t)len;
        first = false;
    }
    page_put(first ? "none" : "");
}

static void put_plain(void)
{
    page_put(
        "\n### Without a producer id\n\n"
        "`enable.idempotence=false`, and with it `acks=0` and `acks=1`: there are no numbers to "
        "mend and\n"
        "nothing is fatal. Sent again are also ");
    bool first = true;
    for (size_t i = 0; i < kloop_broker_error_count(); i++) {
        const kloop_broker_error *e = kloop_broker_error_at(i);
        if (kl_policy(KL_QUESTION_PLAIN, e->code).verdict != KL_VERDICT_RETRY ||
            kl_policy(KL_QUESTION_IDEMPOTENT, e->code).verdict == KL_VERDICT_RETRY)
            continue;
        page_print("%s%s (%d)", first ? "" : ", ", e->name, (int)e->code);
        first = false;
    }
    page_put(";\ngiven up are also ");
    first = true;
    for (size_t i = 0; i < kloop_broker_error_count(); i++) {
        const kloop_broker_error *e = kloop_broker_error_at(i);
        if (kl_policy(KL_QUESTION_PLAIN, e->code).verdict != KL_VERDICT_FAIL ||
            kl_policy(KL_QUESTION_IDEMPOTENT, e->code).verdict == KL_VERDICT_FAIL)
            continue;
        page_print("%s%s (%d)", first ? "" : ", ", e->name, (int)e->code);
        first = false;
    }
    page_put(".\n");
}

static void put_others(void)
{
    page_put(
        "\n## Answers to Metadata\n\n"
        "An error of the answer as a whole, an answer without a broker, and one from another "
        "cluster change\n"
        "nothing: what was known stays, and another question follows after a pause. An error of "
        "one topic\n"
        "concerns that topic alone.\n\n"
        "While nothing is known of a topic, its records wait, for `max.block.ms` and no longer "
        "than\n"
        "`delivery.timeout.ms`. They fail at once with\n");
    put_names(KL_QUESTION_TOPIC, KL_VERDICT_FAIL);
    page_put(
        ".\nEvery other code, those included that nobody knows, is asked about again. Records of a "
        "topic that was\n"
        "known before are never failed by what Metadata says: it may be the view of a broker that "
        "has just\n"
        "started. They go on to the leader known last, until their own time is over.\n"
        "\n## Answers to InitProducerId\n\n"
        "Nothing is sent before there is a producer id. The producer has ended with\n");
    put_names(KL_QUESTION_PRODUCER_ID, KL_VERDICT_FATAL);
    page_put(
        ".\nWhat lacks a right says so, and what to grant. After every other code, an id or an "
        "epoch below 0, and a\n"
        "connection that was lost, it is asked again after a pause; records wait no longer than\n"
        "`delivery.timeout.ms`.\n"
        "\n## Answers to ApiVersions\n\n"
        "UNSUPPORTED_VERSION (35) is what an older broker says of a newer question: it is asked "
        "again in the\n"
        "newest version that both have. Any other code closes the connection, and the next one "
        "follows after\n"
        "`reconnect.backoff.ms`, which doubles up to `reconnect.backoff.max.ms`.\n");
}

static const char intro[] =
    "# What can go wrong, and what kloop does\n"
    "\n"
    "This page is written by `tests/docs/errors_page.c` from the table in\n"
    "[broker_error.h](../include/kloop/broker_error.h) and the policy in "
    "[policy.c](../core/policy.c), which\n"
    "is what the engine asks. What is promised beyond that stands in "
    "[RELIABILITY.md](RELIABILITY.md).\n"
    "\n"
    "## What a report says\n"
    "\n"
    "Each record that `kloop_send()` took is reported once, with one of three outcomes:\n"
    "\n"
    "| outcome | what it means | what to do |\n"
    "|---|---|---|\n"
    "| ACKED | the brokers have it, as far as `acks` asks for | nothing |\n"
    "| FAILED | it is not stored and never will be: it never left, or each attempt was answered "
    "with a code that proves so | "
    "it may be sent again without fear of storing it twice |\n"
    "| UNKNOWN | it may be stored: its bytes were on the way, and no answer settled it | send it "
    "again only if a second "
    "copy does no harm |\n"
    "\n"
    "What was not acked has a cause:\n"
    "\n"
    "| cause | what happened |\n"
    "|---|---|\n"
    "| BROKER | a broker refused it; the code is in `broker_error`, and below |\n"
    "| TIMEOUT | `delivery.timeout.ms` is over, or `max.block.ms` for a topic of which nothing is "
    "known, or `retries` are used "
    "up; `broker_error` is what stood in the way last, 0 if no broker ever answered |\n"
    "| CLOSED | the producer was closed, and the time given to `kloop_close()` is over |\n"
    "| FATAL | the producer has ended, see below |\n"
    "| PARTITION | the record asked for a partition that its topic does not have, which was not "
    "known when it was taken |\n"
    "| NEIGHBOUR | other records of its batch were refused, and it could not be sent without them: "
    "an earlier attempt may have "
    "been stored |\n"
    "| PURGED | the program gave it up with `kloop_purge()` |\n"
    "| NO_MEMORY | the allocator had none |\n"
    "\n"
    "## Answers to Produce\n"
    "\n"
    "Each batch of a request has a code of its own. \"Stored by this attempt\": *no* is a proof; "
    "*perhaps* is\n"
    "said of all codes that may come after the leader has appended, for with `acks=all` it may "
    "lose its\n"
    "place, its disk or its patience while it waits for the others. What the report says follows "
    "from all\n"
    "attempts together.\n";

static const char outro[] = "\n## Codes that nobody knows\n"
                            "\n"
                            "A code that is not on this page is that of a newer broker, or of a "
                            "broken one. A batch so answered is\n"
                            "sent once more, then its records are UNKNOWN.\n"
                            "\n"
                            "## Connections\n"
                            "\n"
                            "A connection that is lost, or closed because `request.timeout.ms` "
                            "went by without any progress, leaves\n"
                            "the batches that were under way on it in doubt: they are sent again "
                            "with the same numbers, so that\n"
                            "idempotence keeps a second copy away. A batch of which not one byte "
                            "was handed to the network has lost\n"
                            "nothing, not even an attempt.\n"
                            "\n"
                            "kloop closes a connection when what comes is not an answer: a frame "
                            "of an impossible length or one\n"
                            "above `receive.message.max.bytes`, bytes that nobody asked for, "
                            "another correlation id than the one due,\n"
                            "an answer that cannot be read to its last byte. Whatever else a "
                            "broker says, that it leaves out\n"
                            "partitions, tells of others, makes offsets go back, names leaders "
                            "that do not exist, or answers codes\n"
                            "that nobody knows, is a matter of the batch or the topic concerned, "
                            "and the connection stays.\n"
                            "\n"
                            "A broker that acknowledges nothing is asked more and more slowly, "
                            "whatever it answers; nobody gets\n"
                            "more than 20 requests a second that bring nothing.\n";

static void write_page(void)
{
    page_put(intro);
    for (size_t i = 0; i < sizeof chapters / sizeof *chapters; i++)
        put_chapter(&chapters[i]);
    put_plain();
    put_others();
    page_put(outro);
}

int main(int argc, char **argv)
{
    return page_main(argc, argv, write_page);
}
