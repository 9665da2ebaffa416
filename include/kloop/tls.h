/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TLS 1.2 and 1.3 as a filter of bytes, for a client: plain text and cipher text go in and out as
 * memory, and no socket, thread or clock is in it. The producer on a libuv loop uses it, and
 * whoever brings a loop of his own may.
 *
 *     kloop_tls *tls;                                once for a configuration
 *     if (kloop_tls_new(&tls, config, NULL, now, &error)) ...
 *     if (tls) {                                     NULL: security.protocol asks for no TLS
 *         kloop_tls_channel *c;                      once for each connection that has come up
 *         if (kloop_tls_channel_new(&c, tls, host, port, now, &error)) ...
 *     }
 *
 *     after each step       send kloop_tls_output(c), then kloop_tls_sent(c, how much of it went)
 *     the socket has bytes  recv into kloop_tls_receive_space(c), then kloop_tls_received(c, n),
 *                           then kloop_tls_read(c) until it answers 0
 *     recv answers 0        kloop_tls_received_end(c), and kloop_tls_read(c) until it answers 0
 *     there is plain text   kloop_tls_write(c) once the state is KLOOP_TLS_UP
 *
 * The first output is there as soon as the channel is. UP means that the peer has proved who he is:
 * before it nothing is written, and nothing is read that he says. There is no way around that but
 * ssl.endpoint.identification.algorithm=none, which leaves the question for which name.
 *
 * Everything of a kloop_tls belongs to one thread at a time. Memory comes from the allocator, but
 * for what OpenSSL allocates itself. In a build without OpenSSL (-DKLOOP_TLS=OFF) the functions are
 * there all the same, and kloop_tls_new() refuses a configuration that asks for TLS.
 */
#ifndef KLOOP_TLS_H
#define KLOOP_TLS_H

#include <kloop/config.h>
#include <kloop/export.h>
#include <kloop/record.h>
#include <kloop/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What the connections of a producer share: whom it trusts, its own certificate, sessions to be
 * resumed. */
typedef struct kloop_tls kloop_tls;
/* One connection. */
typedef struct kloop_tls_channel kloop_tls_channel;

/*
 * KLOOP_OK with *out NULL where security.protocol has no TLS in it. KLOOP_BAD_CONFIG: what
 * kloop_config_check() says, or error names key, file and what is wrong with it, never a password
 * or a key. KLOOP_NO_MEMORY. The configuration is not needed any longer afterwards; alloc may be
 * NULL: the C library's.
 */
KLOOP_API kloop_status kloop_tls_new(kloop_tls **out, const kloop_config *config,
                                     const kloop_allocator *alloc, kloop_now now,
                                     kloop_error *error);
/* After its channels. NULL is nothing. */
KLOOP_API void kloop_tls_del(kloop_tls *t);

/*
 * What is worth a line in a log though all goes on: the own certificate has expired, or soon will;
 * files have changed and cannot be used, so that the old ones stay. To be asked after kloop_tls_new
 * and kloop_tls_channel_new, until it answers false.
 */
KLOOP_API bool kloop_tls_take_note(kloop_tls *t, kloop_error *note);

/*
 * host is what was asked for, a name or the text of an address: the peer's certificate must be for
 * it, and a name is told to the peer (SNI). port is told apart for resumption alone. now is also
 * when certificates must be valid. Files that have changed are loaded anew, which is looked at once
 * a second; channels that are there already do not notice.
 *
 * KLOOP_BAD_ARGUMENT: host is empty, too long, has a NUL or begins with a dot. KLOOP_NO_MEMORY.
 */
KLOOP_API kloop_status kloop_tls_channel_new(kloop_tls_channel **out, kloop_tls *t,
                                             kloop_string host, uint16_t port, kloop_now now,
                                             kloop_error *error);
/* At any time. NULL is nothing. */
KLOOP_API void kloop_tls_channel_del(kloop_tls_channel *c);

typedef enum kloop_tls_state {
    KLOOP_TLS_SHAKING,
    KLOOP_TLS_UP,
    KLOOP_TLS_ENDED,  /* the peer has said that it was all, and nothing follows */
    KLOOP_TLS_FAILED, /* kloop_tls_why(); what is in kloop_tls_output() may still be sent */
} kloop_tls_state;

KLOOP_API kloop_tls_state kloop_tls_state_of(const kloop_tls_channel *c);
/* FAILED: a sentence on what happened, with which certificate, and what to do; else "". */
KLOOP_API const char *kloop_tls_why(const kloop_tls_channel *c);
/* FAILED, and trying again does not cure it by itself: this side does not trust the peer, or he
 * does not take us, or he speaks no TLS. false: the network failed. */
KLOOP_API bool kloop_tls_untrusted(const kloop_tls_channel *c);

/* Where bytes from the peer may be put, and how many. NULL with *room 0: there is no memory, or
 * what came before has to be read first, or the state is ENDED or FAILED. */
KLOOP_API uint8_t *kloop_tls_receive_space(kloop_tls_channel *c, size_t *room);
/* n bytes were put there. */
KLOOP_API void kloop_tls_received(kloop_tls_channel *c, size_t n);
/* The connection is at its end, or broken: no more bytes will come. What did come can be read. */
KLOOP_API void kloop_tls_received_end(kloop_tls_channel *c);

/* Plain text that has come; 0: there is none now. To be called until it answers 0, as what is
 * inside already does not show on the socket. room is at least 1. */
KLOOP_API size_t kloop_tls_read(kloop_tls_channel *c, uint8_t *to, size_t room);

/*
 * Takes plain text, in records of up to 16 KiB whatever the slices are, and answers how many bytes
 * it took, which are not looked at again. It is less than all when so much cipher text waits that
 * some has to be sent first, and 0 unless the state is UP. 0 with nothing to be sent: the peer has
 * said a part of something, and the rest of it has to come first.
 */
KLOOP_API size_t kloop_tls_write(kloop_tls_channel *c, const kloop_slice *slices, size_t count);

/* Nothing more will be written: tells the peer so, once, in the output. Nobody has to. */
KLOOP_API void kloop_tls_finish(kloop_tls_channel *c);

/* Cipher text to be sent, in any state; len 0: none. Good until the next call for this channel. */
KLOOP_API kloop_slice kloop_tls_output(const kloop_tls_channel *c);
/* The first n bytes of it went out. */
KLOOP_API void kloop_tls_sent(kloop_tls_channel *c, size_t n);

/* What was agreed upon, for people. Texts are good as long as the channel; "" where there is
 * nothing to tell yet. */
typedef struct kloop_tls_facts {
    const char *version; /* "TLSv1.3" */
    const char *cipher;  /* "TLS_AES_256_GCM_SHA384" */
    const char *group;   /* "X25519" */
    const char *verdict; /* of the peer's certificate: "ok", or OpenSSL's words for what is wrong */
    const char *trust;   /* where CAs come from: a file's name, "the system's store" */
    size_t certificate_count; /* that the peer has shown, see kloop_tls_certificate_at() */
    bool resumed;             /* a session of before was taken up: no certificate was sent again */
    bool certificate_asked;   /* the peer has asked for a certificate of ours */
    bool certificate_sent;    /* and got one */
} kloop_tls_facts;

KLOOP_API void kloop_tls_facts_of(const kloop_tls_channel *c, kloop_tls_facts *facts);

/* A certificate for people. What is too long is cut; what cannot be printed is '?'. */
typedef struct kloop_tls_certificate {
    char subject[256]; /* "CN=broker1, O=Example" */
    char issuer[256];
    char names[512];       /* what it is for: "DNS:broker1, IP:10.0.0.1" */
    char key[48];          /* "RSA 2048 bit", "EC prime256v1" */
    char sha256[65];       /* its fingerprint in hex */
    int64_t not_before_ms; /* since 1970 */
    int64_t not_after_ms;
} kloop_tls_certificate;

/* Certificate 0 is the peer's own, the others are the chain as he sent it. false: there is none at
 * index. */
KLOOP_API bool kloop_tls_certificate_at(const kloop_tls_channel *c, size_t index,
                                        kloop_tls_certificate *certificate);

#ifdef __cplusplus
}
#endif

#endif
