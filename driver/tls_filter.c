/* SPDX-License-Identifier: BSD-2-Clause */
/* The functions of a TLS channel under the names of a filter. */
#include "driver/tls_filter.h"

static kl_filter_state state(const void *filter)
{
    switch (kloop_tls_state_of(filter)) {
    case KLOOP_TLS_SHAKING:
        return KL_FILTER_SHAKING;
    case KLOOP_TLS_UP:
        return KL_FILTER_UP;
    case KLOOP_TLS_ENDED:
        return KL_FILTER_ENDED;
    case KLOOP_TLS_FAILED:
        break;
    }
    return KL_FILTER_FAILED;
}

static const char *why(const void *filter)
{
    return kloop_tls_why(filter);
}

static bool is_untrusted(const void *filter)
{
    return kloop_tls_untrusted(filter);
}

static uint8_t *receive_space(void *filter, size_t *room)
{
    return kloop_tls_receive_space(filter, room);
}

static void received(void *filter, size_t n)
{
    kloop_tls_received(filter, n);
}

static void received_end(void *filter)
{
    kloop_tls_received_end(filter);
}

static size_t read_plain(void *filter, uint8_t *to, size_t room)
{
    return kloop_tls_read(filter, to, room);
}

static size_t write_plain(void *filter, const kloop_slice *slices, size_t count)
{
    return kloop_tls_write(filter, slices, count);
}

static void finish(void *filter)
{
    kloop_tls_finish(filter);
}

static kloop_slice output(const void *filter)
{
    return kloop_tls_output(filter);
}

static void sent(void *filter, size_t n)
{
    kloop_tls_sent(filter, n);
}

static void del(void *filter)
{
    kloop_tls_channel_del(filter);
}

static const kl_byte_filter_type tls_filter = {
    .name = "TLS",
    .state = state,
    .why = why,
    .is_untrusted = is_untrusted,
    .receive_space = receive_space,
    .received = received,
    .received_end = received_end,
    .read = read_plain,
    .write = write_plain,
    .finish = finish,
    .output = output,
    .sent = sent,
    .del = del,
};

static kloop_status make(void *me, kl_byte_filter *filter, kloop_string host, uint16_t port,
                         kloop_now now, kloop_error *error)
{
    kloop_tls_channel *channel;
    kloop_status status = kloop_tls_channel_new(&channel, me, host, port, now, error);
    if (status == KLOOP_OK)
        *filter = (kl_byte_filter){&tls_filter, channel};
    return status;
}

kl_byte_filter_maker kl_tls_filter_maker(kloop_tls *tls)
{
    return (kl_byte_filter_maker){make, tls};
}
