/* SPDX-License-Identifier: BSD-2-Clause */
/* Sockets that never block, and one poll for all of them. See dialog.h. */
#define _GNU_SOURCE
#include "cli/dialog.h"

#include "base/buf.h"
#include "base/check.h"
#include "base/excerpt.h"
#include "base/now.h"
#include "cli/common_version.h"
#include "cli/name_lookup.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FRAME_BYTES_MAX    ((size_t)100 << 20)
#define CORRELATION_OFFSET 7

struct kl_dialog {
    kl_dialog_config config;
    kl_dialog_state state;
    char host[256];
    uint16_t port;
    char place[300];
    kl_name_lookup *lookup;
    size_t at;     /* which of its addresses */
    bool cautious; /* ApiVersions in version 0: the newest one made it hang up */
    int fd;        /* -1: none */
    uint64_t deadline_ns;
    kl_buf out;
    size_t written;
    kl_buf in;
    int16_t asked_api;
    int16_t asked_version;
    int32_t correlation_id;
    kloop_slice answer; /* the body, in the buffer */
    kl_buf greeting;    /* the bytes of versions */
    bool greeted;
    kloop_api_versions_response versions;
    kl_buf why;
};

uint64_t kl_dialogs_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * KL_SECOND + (uint64_t)now.tv_nsec;
}

/* ---- Ends ---- */

static void hang_up(kl_dialog *d)
{
    if (d->fd >= 0)
        close(d->fd);
    d->fd = -1;
}

static void fail(kl_dialog *d)
{
    hang_up(d);
    d->state = KL_DIALOG_FAILED;
    d->deadline_ns = KL_NEVER;
}

_Static_assert(KL_DIALOG_PLACE_MAX == KL_ADDRESS_TEXT_MAX, "both hold an address");

/* One more piece of why. */
__attribute__((format(printf, 2, 3))) static void note(kl_dialog *d, const char *format, ...)
{
    char text[512], address[KL_DIALOG_PLACE_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (d->why.len > 0)
        kl_buf_append_str(&d->why, "; ");
    kl_dialog_address(d, address);
    /* Whoever typed an address need not read it twice. */
    if (address[0] && strcmp(address, d->place) != 0) {
        kl_buf_append_str(&d->why, address);
        kl_buf_append_str(&d->why, ": ");
    }
    kl_buf_append_str(&d->why, text);
}

static void begin_to_connect(kl_dialog *d);

/* This address will not do. */
static void next_address(kl_dialog *d)
{
    hang_up(d);
    d->at++;
    d->cautious = false;
    begin_to_connect(d);
}

/* What the broker or the network did, while something was waited for. */
static void lose(kl_dialog *d)
{
    if (d->greeted)
        fail(d);
    else
        next_address(d);
}

void kl_dialog_give_up(kl_dialog *d, const char *why)
{
    kl_buf_reset(&d->why);
    kl_buf_append_str(&d->why, why);
    fail(d);
}

void kl_dialog_part(kl_dialog *d)
{
    hang_up(d);
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

static void begin_to_connect(kl_dialog *d)
{
    while (d->at < kl_name_lookup_count(d->lookup)) {
        socklen_t len;
        const struct sockaddr *address = kl_name_lookup_at(d->lookup, d->at, &len);
        int error = open_connection(address, len, &d->fd);
        if (!error) {
            d->state = KL_DIALOG_CONNECTING;
            d->deadline_ns = kl_time_add(kl_dialogs_now_ns(), d->config.connect_ns);
            return;
        }
        note(d, "%s", strerror(error));
        d->at++;
    }
    fail(d);
}

static void take_addresses(kl_dialog *d)
{
    if (!kl_name_lookup_is_over(d->lookup))
        return;
    if (kl_name_lookup_count(d->lookup) == 0)
        note(d, "%s", kl_name_lookup_why(d->lookup));
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
    d->deadline_ns = KL_NEVER;
    d->lookup = kl_name_lookup_new(host, port);
    if (!d->lookup) {
        kl_dialog_del(d);
        return NULL;
    }
    take_addresses(d);
    return d;
}

void kl_dialog_del(kl_dialog *d)
{
    if (!d)
        return;
    hang_up(d);
    kl_name_lookup_del(d->lookup);
    kl_buf_deinit(&d->out);
    kl_buf_deinit(&d->in);
    kl_buf_deinit(&d->greeting);
    kl_buf_deinit(&d->why);
    kl_mem_release(&kl_mem_libc, d, sizeof *d);
}

/* ---- Asking ---- */

static void no_memory(kl_dialog *d)
{
    note(d, "there is no memory");
    fail(d);
}

/* The frame into out. */
static bool encode(kl_dialog *d, int16_t api_key, int16_t version, const void *request,
                   size_t request_size)
{
    kloop_size size;
    kloop_fault fault;
    char text[200];
    kloop_status status = kloop_measure_request_sized(api_key, version, d->config.client_id,
                                                      request, request_size, &size, &fault);
    if (status) {
        kloop_fault_text(&fault, text, sizeof text);
        note(d, "the question cannot be asked: %s", text);
        fail(d);
        return false;
    }
    kl_buf_reset(&d->out);
    uint8_t *p = kl_buf_reserve(&d->out, size.total, NULL);
    if (!p) {
        no_memory(d);
        return false;
    }
    status = kloop_encode_request_sized(api_key, version, d->correlation_id, d->config.client_id,
                                        request, request_size, p, size.total, &fault);
    KL_ASSERT(status == KLOOP_OK);
    kl_buf_commit(&d->out, size.total);
    return true;
}

static void ask(kl_dialog *d, kl_dialog_state state, int16_t api_key, int16_t version,
                const void *request, size_t request_size)
{
    d->asked_api = api_key;
    d->asked_version = version;
    d->correlation_id += CORRELATION_OFFSET;
    d->written = 0;
    kl_buf_reset(&d->in);
    d->answer = (kloop_slice){NULL, 0};
    if (!encode(d, api_key, version, request, request_size))
        return;
    d->state = state;
    d->deadline_ns = kl_time_add(kl_dialogs_now_ns(), d->config.answer_ns);
}

void kl_dialog_ask_sized(kl_dialog *d, int16_t api_key, int16_t version, const void *request,
                         size_t request_size)
{
    KL_ASSERT(d->state == KL_DIALOG_READY);
    ask(d, KL_DIALOG_ASKING, api_key, version, request, request_size);
}

static void greet(kl_dialog *d)
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
    ask(d, KL_DIALOG_GREETING, KLOOP_API_VERSIONS, version, &m, sizeof m);
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
        no_memory(d);
        return false;
    }
    if (kloop_decode(KLOOP_API_VERSIONS, KLOOP_RESPONSE, version, d->greeting.data, d->greeting.len,
                     &d->versions, &fault)) {
        kloop_fault_text(&fault, text, sizeof text);
        note(d, "its API versions cannot be read: %s", text);
        next_address(d);
        return false;
    }
    if (d->versions.error_code == KLOOP_BROKER_UNSUPPORTED_VERSION && d->asked_version > 0) {
        d->cautious = true;
        greet(d);
        return false;
    }
    if (d->versions.error_code) {
        note(d, "it refuses to tell its API versions: %s",
             kloop_broker_error_name(d->versions.error_code));
        next_address(d);
        return false;
    }
    d->greeted = true;
    return true;
}

/* What came instead of a frame, if it can be recognized. */
static const char *other_language(const kl_buf *in)
{
    if (in->len >= 4 && memcmp(in->data, "HTTP", 4) == 0)
        return "it speaks HTTP, and not Kafka";
    if (in->len >= 3 && in->data[0] == 0x15 && in->data[1] == 3)
        return "it wants TLS, which kloop does not speak";
    return "what it answers is no Kafka";
}

static void take_frame(kl_dialog *d, kloop_slice frame)
{
    kloop_response_header header;
    kloop_fault fault;
    size_t used;
    int16_t version = kloop_response_header_version(d->asked_api, d->asked_version);
    if (kloop_decode_prefix(KLOOP_RESPONSE_HEADER, KLOOP_RESPONSE, version, frame.data, frame.len,
                            &used, &header, &fault) ||
        header.correlation_id != d->correlation_id) {
        note(d, "it answers something that was not asked");
        lose(d);
        return;
    }
    d->answer = (kloop_slice){frame.data + used, frame.len - used};
    if (d->state == KL_DIALOG_GREETING && !take_greeting(d))
        return;
    d->state = KL_DIALOG_READY;
    d->deadline_ns = KL_NEVER;
}

bool kl_dialog_answer_sized(kl_dialog *d, void *response, size_t response_size)
{
    char text[200];
    kloop_fault fault;
    KL_ASSERT(d->state == KL_DIALOG_READY && d->answer.data);
    if (!kloop_decode_sized(d->asked_api, KLOOP_RESPONSE, d->asked_version, d->answer.data,
                            d->answer.len, response, response_size, &fault))
        return true;
    kloop_fault_text(&fault, text, sizeof text);
    note(d, "its answer to %s %d cannot be read: %s", kloop_api_find(d->asked_api)->name,
         d->asked_version, text);
    fail(d);
    return false;
}

/* ---- Bytes ---- */

static bool is_passing(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

/* false: it was lost. */
static bool write_out(kl_dialog *d)
{
    while (d->written < d->out.len) {
        ssize_t n = send(d->fd, d->out.data + d->written, d->out.len - d->written, MSG_NOSIGNAL);
        if (n >= 0) {
            d->written += (size_t)n;
            continue;
        }
        if (is_passing(errno))
            return true;
        note(d, "%s", strerror(errno));
        lose(d);
        return false;
    }
    return true;
}

/* The other side has ended the connection. */
static void ended(kl_dialog *d, const char *how)
{
    if (d->state == KL_DIALOG_GREETING && d->asked_version > 0 && d->in.len == 0) {
        /* Some who do not know a version hang up instead of saying so. */
        hang_up(d);
        d->cautious = true;
        begin_to_connect(d);
        return;
    }
    if (d->state == KL_DIALOG_GREETING)
        note(d, "%s when asked for its API versions; it may want TLS, or be no Kafka", how);
    else if (d->state == KL_DIALOG_ASKING)
        note(d, "%s when asked for %s %d; it may want a login (SASL), which kloop does not do", how,
             kloop_api_find(d->asked_api)->name, d->asked_version);
    else
        note(d, "%s", how);
    lose(d);
}

static void read_in(kl_dialog *d)
{
    for (;;) {
        size_t room, used;
        kloop_slice frame;
        kloop_fault fault;
        uint8_t *p = kl_buf_reserve_some(&d->in, 65536, &room);
        if (!p) {
            no_memory(d);
            return;
        }
        ssize_t n = recv(d->fd, p, room, 0);
        if (n < 0 && is_passing(errno))
            return;
        if (n <= 0) {
            ended(d, n == 0 ? "it closed the connection" : strerror(errno));
            return;
        }
        kl_buf_commit(&d->in, (size_t)n);
        if (kloop_frame_next(d->in.data, d->in.len, FRAME_BYTES_MAX, &frame, &used, &fault)) {
            note(d, "%s", other_language(&d->in));
            lose(d);
            return;
        }
        if (frame.data) {
            take_frame(d, frame);
            return;
        }
    }
}

static void on_connection(kl_dialog *d)
{
    int error = 0;
    socklen_t len = sizeof error;
    if (getsockopt(d->fd, SOL_SOCKET, SO_ERROR, &error, &len))
        error = errno;
    if (error) {
        note(d, "%s", strerror(error));
        next_address(d);
        return;
    }
    greet(d);
}

static void on_ready(kl_dialog *d)
{
    if (d->state == KL_DIALOG_CONNECTING)
        on_connection(d);
    if ((d->state == KL_DIALOG_GREETING || d->state == KL_DIALOG_ASKING) && write_out(d))
        read_in(d);
}

static void on_deadline(kl_dialog *d)
{
    if (d->state == KL_DIALOG_CONNECTING)
        note(d, "no connection within %g s", (double)d->config.connect_ns / 1e9);
    else
        note(d, "no answer to %s within %g s", kloop_api_find(d->asked_api)->name,
             (double)d->config.answer_ns / 1e9);
    lose(d);
}

/* ---- Waiting ---- */

typedef struct watching {
    struct pollfd fds[KL_DIALOGS_MAX * KL_NAME_LOOKUP_FDS_MAX];
    size_t count;
    size_t first[KL_DIALOGS_MAX + 1]; /* those of dialog i are from here on, to those of i + 1 */
} watching;

static int ms_until(uint64_t when_ns)
{
    uint64_t now = kl_dialogs_now_ns();
    if (when_ns <= now)
        return 0;
    uint64_t ms = (when_ns - now + KL_MS - 1) / KL_MS;
    return ms > 3600000 ? 3600000 : (int)ms;
}

static void watch(watching *w, kl_dialog *d, int *timeout_ms)
{
    if (d->state == KL_DIALOG_LOOKING_UP) {
        w->count += kl_name_lookup_watch(d->lookup, &w->fds[w->count], timeout_ms);
    } else if (d->fd >= 0 && d->state != KL_DIALOG_READY) {
        bool writes = d->state == KL_DIALOG_CONNECTING || d->written < d->out.len;
        w->fds[w->count++] =
            (struct pollfd){.fd = d->fd, .events = (short)(writes ? POLLOUT : POLLIN)};
        int ms = ms_until(d->deadline_ns);
        if (ms < *timeout_ms)
            *timeout_ms = ms;
    }
}

static void step(kl_dialog *d, const struct pollfd *fds, size_t count)
{
    if (d->state == KL_DIALOG_LOOKING_UP) {
        kl_name_lookup_step(d->lookup, fds, count);
        take_addresses(d);
    } else if (count > 0 && fds[0].revents) {
        on_ready(d);
    } else if (kl_dialog_is_busy(d) && kl_dialogs_now_ns() >= d->deadline_ns) {
        on_deadline(d);
    }
}

void kl_dialogs_wait(kl_dialog *const *list, size_t count, uint64_t until_ns)
{
    watching w;
    w.count = 0;
    int timeout_ms = ms_until(until_ns);
    KL_ASSERT(count <= KL_DIALOGS_MAX);
    for (size_t i = 0; i < count; i++) {
        w.first[i] = w.count;
        if (list[i])
            watch(&w, list[i], &timeout_ms);
    }
    w.first[count] = w.count;
    if (poll(w.fds, w.count, timeout_ms) <= 0) {
        for (size_t i = 0; i < w.count; i++)
            w.fds[i].revents = 0;
    }
    for (size_t i = 0; i < count; i++) {
        if (list[i])
            step(list[i], &w.fds[w.first[i]], w.first[i + 1] - w.first[i]);
    }
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
    case KL_DIALOG_GREETING:
        return "connected, but it has not told its API versions";
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
    socklen_t len;
    text[0] = '\0';
    if (d->at < kl_name_lookup_count(d->lookup))
        kl_address_text(kl_name_lookup_at(d->lookup, d->at, &len), text);
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
