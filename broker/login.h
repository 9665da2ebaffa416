/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Brokers that want to know who their clients are: SASL as Kafka 4.3.1 has it on its listeners.
 *
 *     kl_login_config sasl;
 *     kl_login_config_init(&sasl);
 *     sasl.mechanisms = KL_LOGIN_PLAIN | KL_LOGIN_SCRAM_SHA_256;
 *     kl_cluster_set_login(c, 1, &sasl);
 *     kl_cluster_set_user(c, 1, "alice", "alice-secret");
 *
 * A broker has users of its own, so that one of them may lack somebody whom the others know. What a
 * connection may send in which state is drawn in login_states.c. A refusal says no more than
 * Kafka's, and comes as late.
 *
 * Chance (nonces, salts) comes from the cluster's seed. Passwords lie in memory as they were given:
 * this is no broker for secrets that matter.
 *
 * Owns: copies of all that is given. Fails: without memory a broker stays as it was.
 */
#ifndef KL_BROKER_LOGIN_H
#define KL_BROKER_LOGIN_H

#include "broker/cluster.h"
#include "broker/peer.h"

/* Bytes of a user's name and of a password, at most. */
#define KL_LOGIN_NAME_MAX 255

/* In the order in which a broker names them. */
typedef enum kl_login_mechanism {
    KL_LOGIN_PLAIN = 1,
    KL_LOGIN_SCRAM_SHA_256 = 2,
    KL_LOGIN_SCRAM_SHA_512 = 4,
    KL_LOGIN_OAUTHBEARER = 8,
} kl_login_mechanism;

#define KL_LOGIN_MECHANISM_COUNT 4

typedef struct kl_login_config {
    unsigned mechanisms; /* kl_login_mechanism, or-ed; 0: no SASL at all */
    int64_t reauth_ms;   /* connections.max.reauth.ms; 0: a session ends with its token alone */
    int64_t failure_delay_ns; /* connection.failed.authentication.delay.ms; Kafka's 100 ms */
    int32_t scram_iterations; /* of credentials that are made from now on; 4096 */
    size_t request_max_bytes; /* of a frame before the end of it; Kafka's 512 KiB */
    /*
     * OAUTHBEARER: this is the only token, and it does not expire. Copied. NULL: any unsecured JWT
     * (alg none) with sub and an exp that is yet to come, by the cluster's wall clock.
     */
    const char *token;
} kl_login_config;

/* No mechanism, and all else as Kafka presets it. */
void kl_login_config_init(kl_login_config *config);

/* NULL: there is no such mechanism. */
const char *kl_login_mechanism_name(kl_login_mechanism mechanism);

/* For connections that are made from now on; those that are open go on as they are. */
kl_cluster_status kl_cluster_set_login(kl_cluster *c, int32_t node_id,
                                       const kl_login_config *config);
/* A user of this broker, for every mechanism with passwords. NULL: there is no such user, or no
 * more. Names and passwords are at most KL_LOGIN_NAME_MAX bytes and not empty. */
kl_cluster_status kl_cluster_set_user(kl_cluster *c, int32_t node_id, const char *name,
                                      const char *password);

/* Who the client is; NULL: it has not said so, or need not. Good until the next call that gives the
 * peer bytes. */
const char *kl_peer_principal(const kl_peer *peer);

typedef struct kl_login_totals {
    uint64_t sessions; /* begun */
    uint64_t renewed;  /* of these: on a connection that had one */
    uint64_t refused;  /* authentications that ended badly */
    uint64_t expired;  /* connections closed because their session had ended */
} kl_login_totals;

kl_login_totals kl_cluster_logins(const kl_cluster *c);

#endif
