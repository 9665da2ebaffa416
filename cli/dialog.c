/* SPDX-License-Identifier: BSD-2-Clause */
/* Names, addresses, questions and answers. See dialog.h and dialog_inside.h. */
#define _GNU_SOURCE
#include "cli/dialog.h"

#include "base/check.h"
#include "base/excerpt.h"
#include "base/now.h"
#include "cli/common_version.h"
#include "cli/dialog_inside.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CORRELATION_OFFSET 7

/* ---- Steps ---- */

kl_dialog_try *kl_dialog_try_now(kl_dialog *d)
{
    return d->track.at < d->track.count ? &d->track.tries[d->track.at] : NULL;
}

static void end_step(kl_dialog *d)
{
    kl_dialog_try *t = kl_dialog_try_now(d);
    if (t && t->begun && !t->spans[t->step].ended_ns)
        t->spans[t->step].ended_ns = kl_dialogs_now_ns();
}

void kl_dialog_enter(kl_dialog *d, kl_dialog_state state, kl_dialog_step step, uint64_t limit_ns)
{
    kl_dialog_try *t = kl_dialog_try_now(d);
    end_step(d);
    uint64_t now = kl_dialogs_now_ns();
    t->step = step;
    t->begun = true;
    t->spans[step] = (kl_dialog_span){.began_ns = now};
    d->state = state;
    d->deadline_ns = kl_time_add(now, limit_ns);
}

void kl_dialog_ready(kl_dialog *d)
{
    end_step(d);
    d->state = KL_DIALOG_READY;
    d->deadline_ns = KL_NEVER;
}

/* ---- Ends ---- */

void kl_dialog_hang_up(kl_dialog *d)
{
    kl_dialog_end_login(d);
    if (d->fd >= 0)
        close(d->fd);
    d->fd = -1;
}

void kl_dialog_fail(kl_dialog *d)
{
    end_step(d);
    kl_dialog_hang_up(d);
    d->state = KL_DIALOG_FAILED;
    d->deadline_ns = KL_NEVER;
}

void kl_dialog_note(kl_dialog *d, kl_dialog_trouble trouble, const char *format, ...)
{
    char text[KL_DIALOG_WHY_MAX];
    kl_dialog_try *t = kl_dialog_try_now(d);
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (d->why.len > 0)
        kl_buf_append_str(&d->why, "; ");
    if (t) {
        t->failed = true;
        t->trouble = trouble;
        snprintf(t->why, sizeof t->why, "%s", text);
        /* Whoever typed an address need not read it twice. */
        if (strcmp(t->address, d->place) != 0) {
            kl_buf_append_str(&d->why, t->address);
            kl_buf_append_str(&d->why, ": ");
        }
    }
    kl_buf_append_str(&d->why, text);
}

void kl_dialog_no_memory(kl_dialog *d)
{
    kl_dialog_note(d, KL_TROUBLE_HERE, "there is no memory");
    kl_dialog_fail(d);
}

static void begin_to_connect(kl_dialog *d);

void kl_dialog_next_address(kl_dialog *d)
{
    end_step(d);
    kl_dialog_hang_up(d);
    d->track.at++;
    d->cautious = false;
    begin_to_connect(d);
}

void kl_dialog_begin_cautiously(kl_dialog *d)
{
    kl_dialog_hang_up(d);
    d->cautious = true;
    begin_to_connect(d);
}

void kl_dialog_lose(kl_dialog *d)
{
    if (d->greeted)
        kl_dialog_fail(d);
    else
        kl_dialog_next_address(d);
}

void kl_dialog_give_up(kl_dialog *d, const char *why)
{
    kl_buf_reset(&d->why);
    kl_buf_append_str(&d->why, why);
    kl_dialog_fail(d);
}

void kl_dialog_part(kl_dialog *d)
{
    kl_dialog_say_goodbye(d);
    kl_dialog_hang_up(d);
}

/* ---- Connecting ---- */

static int open_connection(const struct sockaddr *address, socklen_t len, int *fd)
{
    int on = 1;
    *fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (*fd < 0)
        return errno;
    setsockopt(*fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(*fd, address, len) == 0 || errno == EINPROGRESS || errno == EINTR)
        return 0;
    int error = errno;
    close(*fd);
    *fd = -1;
    return error;
}

static void note_no_connection(kl_dialog *d, int error)
{
    kl_dialog_note(d, error == ECONNREFUSED ? KL_TROUBLE_REFUSED : KL_TROUBLE_NO_WAY, "%s",
                   strerror(error));
}

static void begin_to_connect(kl_dialog *d)
{
    while (d->track.at < d->track.count) {
        socklen_t len;
        const struct sockaddr *address = kl_name_lookup_at(d->lookup, d->track.at, &len);
        kl_dialog_enter(d, KL_DIALOG_CONNECTING, KL_STEP_TCP, d->config.connect_ns);
        int error = open_connection(address, len, &d->fd);
        if (!error)
            return;
        note_no_connection(d, error);
        end_step(d);
        d->track.at++;
    }
    if (d->track.count > 0)
        d->track.at = d->track.count - 1;
    kl_dialog_fail(d);
}

void kl_dialog_on_connection(kl_dialog *d)
{
    int error = 0;
    socklen_t len = sizeof error;
    if (getsockopt(d->fd, SOL_SOCKET, SO_ERROR, &error, &len))
        error = errno;
    if (error) {
        note_no_connection(d, error);
        kl_dialog_next_address(d);
        return;
    }
    if (d->config.security && d->config.security->tls)
        kl_dialog_begin_tls(d);
    else
        kl_dialog_greet(d);
}

void kl_dialog_take_addresses(kl_dialog *d)
{
    if (!kl_name_lookup_is_over(d->lookup))
        return;
    size_t count = kl_name_lookup_count(d->lookup);
    d->track.name.ended_ns = kl_dialogs_now_ns();
    d->track.found = count > 0;
    if (count == 0)
        kl_dialog_note(d, KL_TROUBLE_NO_NAME, "%s", kl_name_lookup_why(d->lookup));
    d->track.tries = kl_mem_zalloc(&kl_mem_libc, count + 1, sizeof *d->track.tries);
    if (!d->track.tries) {
        kl_dialog_no_memory(d);
        return;
    }
    d->track.count = count;
    for (size_t i = 0; i < count; i++) {
        socklen_t len;
        kl_address_text(kl_name_lookup_at(d->lookup, i, &len), d->track.tries[i].address);
    }
    begin_to_connect(d);
}

kl_dialog *kl_dialog_new(const kl_dialog_config *config, const char *host, uint16_t port)
{
    kl_dialog *d = kl_mem_zalloc(&kl_mem_libc, 1, sizeof *d);
    if (!d)
        return NULL;
    d->config = *config;
    d->fd = -1;
    d->port = port;
    snprintf(d->host, sizeof d->host, "%s", host);
    char shown[sizeof d->host];
    kl_excerpt(shown, sizeof shown, kloop_text(host));
    snprintf(d->place, sizeof d->place, strchr(host, ':') ? "[%s]:%u" : "%s:%u", shown, port);
    kl_buf_init(&d->out, &kl_mem_libc);
    kl_buf_init(&d->in, &kl_mem_libc);
    kl_buf_init(&d->greeting, &kl_mem_libc);
    kl_buf_init(&d->why, &kl_mem_libc);
    d->state = KL_DIALOG_LOOKING_UP;
    d->track.name.began_ns = kl_dialogs_now_ns();
    d->deadline_ns =
        config->lookup_ns ? kl_time_add(d->track.name.began_ns, config->lookup_ns) : KL_NEVER;
    d->lookup = kl_name_lookup_new(host, port);
    if (!d->lookup) {
        kl_dialog_del(d);
        return NULL;
    }
    kl_dialog_take_addresses(d);
    return d;
}

void kl_dialog_del(kl_dialog *d)
{
    if (!d)
        return;
    kl_dialog_hang_up(d);
    kloop_tls_channel_del(d->channel);
    kl_name_lookup_del(d->lookup);
    kl_mem_release(&kl_mem_libc, d->track.tries, (d->track.count + 1) * sizeof *d->track.tries);
    kl_buf_deinit(&d->out);
    kl_buf_deinit(&d->in);
    kl_buf_deinit(&d->greeting);
    kl_buf_deinit(&d->why);
    kl_mem_release(&kl_mem_libc, d, sizeof *d);
}

/* ---- Asking ---- */

bool kl_dialog_put_question(kl_dialog *d, int16_t api_key, int16_t version, const void *request,
                            size_t request_size)
{
    kloop_size size;
    kloop_fault fault;
    char text[200];
    d->asked_api = api_key;
    d->asked_version = version;
    d->correlation_id += CORRELATION_OFFSET;
    d->written = 0;
    kl_buf_reset(&d->in);
    kl_buf_reset(&d->out);
    d->answer = (kloop_slice){NULL, 0};
    kloop_status status = kloop_measure_request_sized(api_key, version, d->config.client_id,
                                                      request, request_size, &size, &fault);
    if (status) {
        kloop_fault_text(&fault, text, sizeof text);
        kl_dialog_note(d, KL_TROUBLE_HERE, "the question cannot be asked: %s", text);
        kl_dialog_fail(d);
        return false;
    }
    uint8_t *p = kl_buf_reserve(&d->out, size.total, NULL);
    if (!p) {
        kl_dialog_no_memory(d);
        return false;
    }
    status = kloop_encode_request_sized(api_key, version, d->correlation_id, d->config.client_id,
                                        request, request_size, p, size.total, &fault);
    KL_ASSERT(status == KLOOP_OK);
    kl_buf_commit(&d->out, size.total);
    return true;
}

void kl_dialog_ask_sized(kl_dialog *d, int16_t api_key, int16_t version, const void *request,
                         size_t request_size)
{
    KL_ASSERT(d->state == KL_DIALOG_READY);
    kl_dialog_enter(d, KL_DIALOG_ASKING, KL_STEP_QUESTION, d->config.answer_ns);
    kl_dialog_put_question(d, api_key, version, request, request_size);
}

void kl_dialog_greet(kl_dialog *d)
{
    kloop_api_versions_request m;
    kloop_message_init(KLOOP_API_VERSIONS, KLOOP_REQUEST, &m);
    const kloop_api *ours = kloop_api_find(KLOOP_API_VERSIONS);
    int16_t version = ours->min_version;
    if (!d->cautious)
        version = kl_common_version(KLOOP_API_VERSIONS, ours->min_version, ours->max_version,
                                    d->config.version_max);
    if (version >= 3) {
        m.client_software_name = kloop_text("kloop");
        m.client_software_version = kloop_text(kloop_version());
    }
    kl_dialog_enter(d, KL_DIALOG_GREETING, KL_STEP_VERSIONS, d->config.answer_ns);
    kl_dialog_put_question(d, KLOOP_API_VERSIONS, version, &m, sizeof m);
}

/* ---- Answers ---- */

/* The versions, of which a copy is kept. false: FAILED, or on the way to the next address. */
static bool take_greeting(kl_dialog *d)
{
    char text[200];
    kloop_fault fault;
    /* Every version begins with the code, and a broker that does not know ours answers in 0. */
    int16_t version = d->asked_version;
    if (d->answer.len >= 2 && d->answer.data[0] == 0 &&
        d->answer.data[1] == KLOOP_BROKER_UNSUPPORTED_VERSION)
        version = 0;
    kl_buf_reset(&d->greeting);
    if (!kl_buf_append(&d->greeting, d->answer.data, d->answer.len)) {
        kl_dialog_no_memory(d);
        return false;
    }
    if (kloop_decode(KLOOP_API_VERSIONS, KLOOP_RESPONSE, version, d->greeting.data, d->greeting.len,
                     &d->versions, &fault)) {
        kloop_fault_text(&fault, text, sizeof text);
        kl_dialog_note(d, KL_TROUBLE_NO_KAFKA, "its API versions cannot be read: %s", text);
        kl_dialog_next_address(d);
        return false;
    }
    if (d->versions.error_code == KLOOP_BROKER_UNSUPPORTED_VERSION && d->asked_version > 0) {
        d->cautious = true;
        kl_dialog_greet(d);
        return false;
    }
    if (d->versions.error_code) {
        kl_dialog_note(d, KL_TROUBLE_NO_KAFKA, "it refuses to tell its API versions: %s",
                       kloop_broker_error_name(d->versions.error_code));
        kl_dialog_next_address(d);
        return false;
    }
    d->greeted = true;
    return true;
}

void kl_dialog_take_frame(kl_dialog *d, kloop_slice frame)
{
    kloop_response_header header;
    kloop_fault fault;
    size_t used;
    int16_t version = kloop_response_header_version(d->asked_api, d->asked_version);
    if (kloop_decode_prefix(KLOOP_RESPONSE_HEADER, KLOOP_RESPONSE, version, frame.data, frame.len,
                            &used, &header, &fault) ||
        header.correlation_id != d->correlation_id) {
        kl_dialog_note(d, KL_TROUBLE_NO_KAFKA, "it answers something that was not asked");
        kl_dialog_lose(d);
        return;
    }
    d->answer = (kloop_slice){frame.data + used, frame.len - used};
    if (d->state == KL_DIALOG_LOGIN) {
        kl_dialog_on_login_answer(d);
        return;
    }
    if (d->state == KL_DIALOG_GREETING) {
        if (!take_greeting(d))
            return;
        if (d->config.security && d->config.security->mechanism) {
            kl_dialog_login(d);
            return;
        }
    }
    kl_dialog_ready(d);
}

bool kl_dialog_decode(kl_dialog *d, void *response, size_t response_size)
{
    char text[200];
    kloop_fault fault;
    if (!kloop_decode_sized(d->asked_api, KLOOP_RESPONSE, d->asked_version, d->answer.data,
                            d->answer.len, response, response_size, &fault))
        return true;
    kloop_fault_text(&fault, text, sizeof text);
    kl_dialog_note(d, KL_TROUBLE_NO_KAFKA, "its answer to %s %d cannot be read: %s",
                   kloop_api_find(d->asked_api)->name, d->asked_version, text);
    kl_dialog_fail(d);
    return false;
}

bool kl_dialog_answer_sized(kl_dialog *d, void *response, size_t response_size)
{
    KL_ASSERT(d->state == KL_DIALOG_READY && d->answer.data);
    return kl_dialog_decode(d, response, response_size);
}

/* ---- Looking at it ---- */

kl_dialog_state kl_dialog_state_of(const kl_dialog *d)
{
    return d->state;
}

bool kl_dialog_is_busy(const kl_dialog *d)
{
    return d->state != KL_DIALOG_READY && d->state != KL_DIALOG_FAILED;
}

const char *kl_dialog_why(kl_dialog *d)
{
    switch (d->state) {
    case KL_DIALOG_LOOKING_UP:
        return "its name is being looked up";
    case KL_DIALOG_CONNECTING:
        return "no connection yet";
    case KL_DIALOG_TLS:
        return "connected, but TLS is not agreed upon";
    case KL_DIALOG_GREETING:
        return "connected, but it has not told its API versions";
    case KL_DIALOG_LOGIN:
        return "connected, but it has not let us in";
    case KL_DIALOG_ASKING:
        return "connected, but it has not answered";
    default:
        return kl_buf_append_byte(&d->why, 0)
                   ? (kl_buf_truncate(&d->why, d->why.len - 1), (const char *)d->why.data)
                   : "there is no memory";
    }
}

const char *kl_dialog_place(const kl_dialog *d)
{
    return d->place;
}

void kl_dialog_address(const kl_dialog *d, char text[KL_DIALOG_PLACE_MAX])
{
    const kl_dialog_track *t = &d->track;
    snprintf(text, KL_DIALOG_PLACE_MAX, "%s", t->at < t->count ? t->tries[t->at].address : "");
}

const kl_dialog_track *kl_dialog_track_of(const kl_dialog *d)
{
    return &d->track;
}

const kloop_tls_channel *kl_dialog_channel(const kl_dialog *d)
{
    return d->channel;
}

const kloop_api_versions_response *kl_dialog_versions(const kl_dialog *d)
{
    return d->greeted ? &d->versions : NULL;
}

int16_t kl_dialog_version(const kl_dialog *d, int16_t api_key)
{
    kloop_api_version v;
    if (!d->greeted)
        return -1;
    for (kloop_iter i = kloop_iterate(&d->versions.api_keys); kloop_next(&i, &v);) {
        if (v.api_key == api_key)
            return kl_common_version(api_key, v.min_version, v.max_version, d->config.version_max);
    }
    return -1;
}
