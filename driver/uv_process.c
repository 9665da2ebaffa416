/* SPDX-License-Identifier: BSD-2-Clause */
/* Fork and exit, for one producer. See the header. */
#define _POSIX_C_SOURCE 200809L /* what uv.h is made of */
#include "driver/uv_process.h"

#include "base/now.h"
#include "driver/clocks.h"
#include "driver/uv_inlet.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The thread that runs the loop, in a form that another one may read. */
static uintptr_t this_thread(void)
{
    return (uintptr_t)pthread_self();
}

/* ---- Fork ---- */

static void on_fork(kl_living *member)
{
    kloop_producer *p = KL_CONTAINER_OF(member, kloop_producer, living);
    kl_uv_producer_bar(p, KLOOP_FORKED);
    /* There is work, for somebody else: nothing here starts to do it. */
    p->dirty = true;
}

/* ---- Exit ---- */

static uint64_t pending(const kloop_producer *p)
{
    kloop_stats stats;
    kloop_engine_stats(p->engine, &stats);
    return stats.pending;
}

void kl_uv_process_note(kloop_producer *p)
{
    atomic_store_explicit(&p->last_word.pending, pending(p), memory_order_relaxed);
    atomic_store_explicit(&p->last_word.thread, this_thread(), memory_order_relaxed);
}

void kl_uv_process_note_trouble(kloop_producer *p, const char *text)
{
    snprintf(p->last_word.trouble, sizeof p->last_word.trouble, "%s", text);
    p->last_word.trouble_ns = p->now.mono_ns;
}

static int print_trouble(const kloop_producer *p, char *to, size_t size)
{
    uint64_t now_ns = kl_clocks_mono_ns(), then_ns = p->last_word.trouble_ns;
    return snprintf(to, size, " The latest trouble, %llu s ago: %s.",
                    (unsigned long long)(now_ns > then_ns ? (now_ns - then_ns) / KL_SECOND : 0),
                    p->last_word.trouble);
}

/* The loop may be gone, and is not looked at. Where another thread runs it, only what that one has
 * noted is. */
static void on_exit_of_program(kl_living *member)
{
    const kloop_producer *p = KL_CONTAINER_OF(member, kloop_producer, living);
    char text[1024], trouble[512] = "";
    if (!p->last_word.warns)
        return;
    bool own = atomic_load_explicit(&p->last_word.thread, memory_order_relaxed) == this_thread();
    uint64_t records =
        own ? pending(p) : atomic_load_explicit(&p->last_word.pending, memory_order_relaxed);
    if (p->inlet)
        records += kl_inlet_load_of(&p->inlet->queue).records;
    if (records == 0)
        return;
    if (own && p->last_word.trouble[0])
        print_trouble(p, trouble, sizeof trouble);
    int len = snprintf(text, sizeof text,
                       "kloop: the program ends, and %llu record%s of producer '%s' %s neither "
                       "reported nor given up.%s Before the end call kloop_close() and run the "
                       "loop until its callback; warn.at.exit=false silences this.\n",
                       (unsigned long long)records, records == 1 ? "" : "s", p->last_word.client_id,
                       records == 1 ? "was" : "were", trouble);
    size_t size = (size_t)len < sizeof text ? (size_t)len : sizeof text - 1;
    /* Whoever does not hear it cannot be told so either. */
    if (write(STDERR_FILENO, text, size) < 0)
        return;
}

/* ---- Coming and going ---- */

bool kl_uv_process_enter(kloop_producer *p, const char *client_id, bool warns)
{
    snprintf(p->last_word.client_id, sizeof p->last_word.client_id, "%s",
             client_id ? client_id : "");
    p->last_word.warns = warns;
    atomic_init(&p->last_word.pending, 0);
    atomic_init(&p->last_word.thread, this_thread());
    p->living.on_fork = on_fork;
    p->living.on_exit = on_exit_of_program;
    return kl_living_enter(&p->living);
}

void kl_uv_process_leave(kloop_producer *p)
{
    kl_living_leave(&p->living);
}
