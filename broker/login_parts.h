/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an authentication is made of. For the files of broker/ only; what it does is told in
 * "broker/login.h".
 *
 *     login_states.c     which request may come when, and what ends a connection
 *     login_scram.c      \
 *     login_bearer.c      > one exchange each: what the client says in, what the broker says out
 *     login_plain.c      /
 *     login_users.c      who is known, and with which keys
 *     login_text.c       base64
 *
 * Nothing here allocates but users and kl_login_new; what a reply needs lies in the exchange.
 */
#ifndef KL_BROKER_LOGIN_PARTS_H
#define KL_BROKER_LOGIN_PARTS_H

#include "base/sha2.h"
#include "broker/cluster_parts.h"
#include "broker/login.h"
#include "broker/request.h"

#define KL_LOGIN_SALT_BYTES  16
#define KL_LOGIN_NONCE_CHARS 24

/* What a broker keeps of a password, for one digest. */
typedef struct kl_scram_keys {
    int32_t iterations; /* 0: not made yet */
    uint8_t salt[KL_LOGIN_SALT_BYTES];
    uint8_t stored_key[KL_SHA2_SIZE_MAX];
    uint8_t server_key[KL_SHA2_SIZE_MAX];
} kl_scram_keys;

typedef struct kl_login_user {
    kl_link link;
    char name[KL_LOGIN_NAME_MAX + 1];
    char password[KL_LOGIN_NAME_MAX + 1];
    kl_scram_keys keys[2]; /* by kl_sha2_kind */
} kl_login_user;

typedef enum kl_login_verdict {
    KL_LOGIN_MORE,
    KL_LOGIN_DONE,
    KL_LOGIN_REFUSED,
    KL_LOGIN_CONFUSED, /* Kafka does not expect it, and says nothing any more */
    KL_LOGIN_NO_MEMORY,
} kl_login_verdict;

/* One exchange of a mechanism. */
typedef struct kl_login_exchange {
    kl_login_mechanism mechanism;
    char principal[KL_LOGIN_NAME_MAX + 1];
    int64_t token_ends_ms; /* wall clock; INT64_MAX: never */
    kloop_slice reply;     /* what is said with MORE and DONE */
    const char *says;      /* REFUSED: the words for the client; NULL: those that tell nothing */
    bool json_said;        /* OAUTHBEARER: it was refused, and is to say that it has understood */
    /* SCRAM; OAUTHBEARER lends auth for words */
    bool first_said;
    kl_login_user *user;
    size_t gs2_len;  /* of the header that the client chose */
    size_t bare_len; /* of the client's first message without it, in auth */
    size_t nonce_at; /* of both nonces, in auth */
    size_t nonce_len;
    size_t auth_len;
    char gs2[KL_LOGIN_NAME_MAX * 3 + 8];
    char auth[2048]; /* all that both have said and will sign, and a comma */
    char final[128];
} kl_login_exchange;

typedef enum kl_login_state {
    KL_LOGIN_INITIAL,
    KL_LOGIN_HANDSHAKE_OR_VERSIONS,
    KL_LOGIN_HANDSHAKE,
    KL_LOGIN_AGAIN,         /* the handshake of a re-authentication */
    KL_LOGIN_BAD_MECHANISM, /* it asked for another one: whatever comes next ends it */
    KL_LOGIN_AUTHENTICATE,
    KL_LOGIN_COMPLETE,
    KL_LOGIN_FAILED,
} kl_login_state;

/* Of a peer whose broker wants to know who it is. */
typedef struct kl_login {
    kl_login_config config; /* as it was when the connection was made; token is not looked at */
    kl_login_state state;
    bool headers;          /* tokens come as SaslAuthenticate, not bare */
    bool known;            /* principal and mechanism are those of a session */
    int64_t ends_ns;       /* KL_CLUSTER_NEVER: the session has no end */
    int64_t last_again_ns; /* when a re-authentication began; -1: none yet */
    kl_login_mechanism mechanism;
    char principal[KL_LOGIN_NAME_MAX + 1];
    char says[2 * KL_LOGIN_NAME_MAX + 128];
    kl_login_exchange exchange;
} kl_login;

/* ---- login_states.c ---- */

/* Of a new peer. *login is NULL where its broker wants none. false: no memory. */
bool kl_login_new(kl_cluster *c, const kl_node *node, kl_login **login);
void kl_login_del(kl_cluster *c, kl_login *login);

/* Whether the next frame is a bare token and no request. */
bool kl_login_wants_token(const kl_login *login);
/* Requests come one after the other: there is an authentication under way. */
bool kl_login_is_busy(const kl_login *login);
/* false: this request ends the connection. Called when it comes, whenever it is carried out. */
bool kl_login_allows(kl_request *r);
/* An ApiVersions was answered well. */
void kl_login_versions_told(kl_login *login);
/* It came in the middle of an authentication: the answer says so where Kafka's does. */
void kl_login_misplaced(kl_request *r);
/* Both answer the request. */
void kl_login_handshake(kl_request *r, kloop_string mechanism);
void kl_login_token(kl_request *r, kloop_slice token);
/* The answer to a bare token, a struct of SaslAuthenticate: its bytes alone, with their length. */
size_t kl_login_bare_bytes(const void *response);
void kl_login_bare_encode(const void *response, uint8_t *to);

/* ---- One exchange: login_plain.c, login_scram.c, login_bearer.c ---- */

/* x is all zero but for its mechanism, and has no end. */
kl_login_verdict kl_login_plain(kl_login_exchange *x, const kl_request *r, kloop_slice said);
kl_login_verdict kl_login_scram(kl_login_exchange *x, const kl_request *r, kloop_slice said);
kl_login_verdict kl_login_bearer(kl_login_exchange *x, kl_request *r, kloop_slice said);

/* ---- login_users.c ---- */

void kl_node_login_init(kl_node_login *login);
void kl_node_login_deinit(kl_cluster *c, kl_node_login *login);
/* NULL: not known. */
kl_login_user *kl_login_find_user(const kl_node *node, const char *name, size_t len);
/* Made of the password when they are needed first. */
const kl_scram_keys *kl_login_keys(kl_cluster *c, const kl_node *node, kl_login_user *user,
                                   kl_sha2_kind kind);

/* ---- login_text.c ---- */

/* Writes (len + 2) / 3 * 4 characters and a terminator. */
void kl_login_base64(char *out, const uint8_t *bytes, size_t len);
/* out has room for len / 4 * 3 + 2 bytes. Both alphabets, with or without padding. false: it is no
 * base64. */
bool kl_login_unbase64(uint8_t *out, size_t *out_len, const char *text, size_t len);

#endif
