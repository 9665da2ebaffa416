/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program that uses the installed producer as a stranger would: opens one on a loop, sends a
 * record to nobody, closes, and looks that nothing is left. Prints the version.
 */
#define _POSIX_C_SOURCE 200809L /* what uv.h is made of */
#include <kloop/kloop.h>

#include <stdio.h>
#include <uv.h>

static size_t reported;
static int closed;

static void on_delivery(kloop_producer *p, const kloop_report *run, void *me)
{
    (void)p;
    (void)me;
    reported += run->count;
}

static void on_closed(kloop_producer *p, void *me)
{
    (void)p;
    (void)me;
    closed++;
}

int main(void)
{
    uv_loop_t loop;
    kloop_producer *p;
    kloop_topic *topic;
    kloop_error error;
    if (uv_loop_init(&loop))
        return 1;
    kloop_config *config = kloop_config_new(NULL);
    /* Port 1 of this machine: nobody is there. */
    kloop_config_set(config, "bootstrap.servers", "127.0.0.1:1");
    kloop_status status = kloop_open(&p, &loop, config, &error);
    kloop_config_del(config);
    if (status || kloop_topic_get(p, "events", &topic, &error)) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    kloop_on_delivery(p, on_delivery, NULL);
    const kloop_record record = {.value = {(const uint8_t *)"hello", 5}};
    if (kloop_send(topic, &record))
        return 1;
    kloop_close(p, 10, on_closed, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    if (reported != 1 || closed != 1 || uv_loop_close(&loop))
        return 1;
    printf("%s\n", kloop_version());
    return 0;
}
