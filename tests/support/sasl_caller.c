/* SPDX-License-Identifier: BSD-2-Clause */
/* See sasl_caller.h. */
#include "tests/support/sasl_caller.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <kloop/broker_error.h>

void kl_caller_open_with(kl_caller *w, kl_cluster_config *config)
{
    memset(w, 0, sizeof *w);
    w->c = kl_client_cluster(config);
    kl_client_topic(w->c, "events", 1, 1);
    kl_login_config_init(&w->login);
    w->login.mechanisms =
        KL_LOGIN_PLAIN | KL_LOGIN_SCRAM_SHA_256 | KL_LOGIN_SCRAM_SHA_512 | KL_LOGIN_OAUTHBEARER;
    assert_int_equal(kl_cluster_set_login(w->c, 1, &w->login), KL_CLUSTER_OK);
    assert_int_equal(kl_cluster_set_user(w->c, 1, "alice", "alice-secret"), KL_CLUSTER_OK);
    assert_int_equal(kl_cluster_set_user(w->c, 1, "a,b=c", "other"), KL_CLUSTER_OK);
}

void kl_caller_open(kl_caller *w)
{
    kl_cluster_config config = kl_client_config(1);
    config.wall_ms_at_zero = 1000000;
    kl_caller_open_with(w, &config);
    kl_client_open(&w->a, w->c, 1);
}

void kl_caller_close(kl_caller *w)
{
    kl_client_close(&w->a);
    kl_cluster_del(w->c);
}

void kl_caller_anew(kl_caller *w)
{
    kl_client_close(&w->a);
    assert_int_equal(kl_cluster_set_login(w->c, 1, &w->login), KL_CLUSTER_OK);
    kl_client_open(&w->a, w->c, 1);
}

/* ---- One step of a client ---- */

void kl_caller_tell_versions(kl_caller *w, int16_t version, const char *name)
{
    kloop_api_versions_request q;
    kloop_message_init(KLOOP_API_VERSIONS, KLOOP_REQUEST, &q);
    if (version >= 3) {
        q.client_software_name = kloop_text(name);
        q.client_software_version = kloop_text("1");
    }
    kl_client_send(&w->a, KLOOP_API_VERSIONS, version, &q);
}

int16_t kl_caller_ask_versions(kl_caller *w, int16_t version)
{
    kloop_api_versions_response r;
    kl_caller_tell_versions(w, version, "test");
    kl_client_answer(&w->a, KLOOP_API_VERSIONS, version, &r);
    return r.error_code;
}

void kl_caller_tell_handshake(kl_caller *w, int16_t version, const char *mechanism)
{
    kloop_sasl_handshake_request q;
    kloop_message_init(KLOOP_SASL_HANDSHAKE, KLOOP_REQUEST, &q);
    q.mechanism = kloop_text(mechanism);
    kl_client_send(&w->a, KLOOP_SASL_HANDSHAKE, version, &q);
}

kloop_sasl_handshake_response kl_caller_handshake(kl_caller *w, int16_t version,
                                                  const char *mechanism)
{
    kloop_sasl_handshake_response r;
    kl_caller_tell_handshake(w, version, mechanism);
    kl_client_answer(&w->a, KLOOP_SASL_HANDSHAKE, version, &r);
    return r;
}

void kl_caller_tell(kl_caller *w, int16_t version, const void *bytes, size_t len)
{
    kloop_sasl_authenticate_request q;
    kloop_message_init(KLOOP_SASL_AUTHENTICATE, KLOOP_REQUEST, &q);
    q.auth_bytes = (kloop_slice){bytes, len};
    kl_client_send(&w->a, KLOOP_SASL_AUTHENTICATE, version, &q);
}

kloop_sasl_authenticate_response kl_caller_say(kl_caller *w, int16_t version, const void *bytes,
                                               size_t len)
{
    kloop_sasl_authenticate_response r;
    kl_caller_tell(w, version, bytes, len);
    kl_client_answer(&w->a, KLOOP_SASL_AUTHENTICATE, version, &r);
    return r;
}

void kl_caller_tell_metadata(kl_caller *w)
{
    kloop_metadata_request q;
    kloop_message_init(KLOOP_METADATA, KLOOP_REQUEST, &q);
    kl_client_send(&w->a, KLOOP_METADATA, 12, &q);
}

void kl_caller_works(kl_caller *w)
{
    kloop_metadata_response r;
    kl_caller_tell_metadata(w);
    kl_client_answer(&w->a, KLOOP_METADATA, 12, &r);
}

void kl_caller_hears_nothing(kl_caller *w)
{
    kloop_metadata_response r;
    kl_client_wait(w->c, 100);
    kl_client_answer(&w->a, KLOOP_METADATA, 12, &r);
    assert_int_equal(r.brokers.count, 0);
    assert_int_equal(r.topics.count, 0);
    assert_true(kl_client_is_closed(&w->a));
}

void kl_caller_log_in(kl_caller *w)
{
    assert_int_equal(kl_caller_handshake(w, 1, "PLAIN").error_code, 0);
    assert_int_equal(kl_caller_say(w, 2, SAID(KL_CALLER_ALICE)).error_code, 0);
    assert_string_equal(kl_peer_principal(w->a.peer), "alice");
}

/* The answer comes after the broker's pause, and with it the end. */
void kl_caller_is_refused(kl_caller *w, int16_t version, const void *bytes, size_t len,
                          const char *words)
{
    kloop_sasl_authenticate_response r;
    kl_caller_tell(w, version, bytes, len);
    assert_int_equal(kl_peer_output_bytes(w->a.peer), 0);
    kl_client_wait(w->c, 99);
    assert_int_equal(kl_peer_output_bytes(w->a.peer), 0);
    kl_client_wait(w->c, 1);
    kl_client_answer(&w->a, KLOOP_SASL_AUTHENTICATE, version, &r);
    assert_int_equal(r.error_code, KLOOP_BROKER_SASL_AUTHENTICATION_FAILED);
    assert_int_equal(r.error_message.len, strlen(words));
    assert_memory_equal(r.error_message.data, words, r.error_message.len);
    assert_true(kl_client_is_closed(&w->a));
}
