/* SPDX-License-Identifier: BSD-2-Clause */
/* The README's program: sends its arguments as records, and says what became of them. */
#define _POSIX_C_SOURCE 200809L /* what uv.h is made of */
#include <kloop/kloop.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

static void delivered(kloop_producer *p, const kloop_report *run, void *me)
{
    (void)p, (void)me; /* a run: records of one partition with one fate, in the order of sending */
    for (size_t i = 0; i < run->count; i++)
        printf("%s: partition %d, offset %lld, %s\n", (char *)run->users[i], run->partition,
               (long long)kloop_report_offset(run, i),
               run->outcome == KLOOP_OUTCOME_ACKED ? "acked" : run->text);
}

int main(int argc, char **argv)
{
    kloop_producer *p;
    kloop_topic *events;
    kloop_error error;
    kloop_config *config = kloop_config_new(NULL);
    kloop_config_set(config, "bootstrap.servers", argc > 1 ? argv[1] : "localhost:9092");
    if (kloop_open(&p, uv_default_loop(), config, &error) ||
        kloop_topic_get(p, "events", &events, &error))
        return fprintf(stderr, "%s\n", error.text), 2; /* which key, what value, what is allowed */
    kloop_on_delivery(p, delivered, NULL);
    for (int i = 2; i < argc; i++) /* KLOOP_FULL, when memory is used up: kloop_on_writable() */
        kloop_send(events, &(kloop_record){.value = {(uint8_t *)argv[i], strlen(argv[i])},
                                           .user = argv[i]});
    kloop_close(p, 10000, NULL, NULL); /* delivers what is under way, for 10 s at most */
    kloop_config_del(config);
    return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
