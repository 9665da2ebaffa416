/* SPDX-License-Identifier: BSD-2-Clause */
/* Who a broker knows, and what it demands. See login.h. */
#include "base/check.h"
#include "base/hmac.h"
#include "base/wipe.h"
#include "broker/login_parts.h"

#include <string.h>

void kl_login_config_init(kl_login_config *config)
{
    *config = (kl_login_config){
        .failure_delay_ns = 100 * INT64_C(1000000),
        .scram_iterations = 4096,
        .request_max_bytes = 524288,
    };
}

const char *kl_login_mechanism_name(kl_login_mechanism mechanism)
{
    switch (mechanism) {
    case KL_LOGIN_PLAIN:
        return "PLAIN";
    case KL_LOGIN_SCRAM_SHA_256:
        return "SCRAM-SHA-256";
    case KL_LOGIN_SCRAM_SHA_512:
        return "SCRAM-SHA-512";
    case KL_LOGIN_OAUTHBEARER:
        return "OAUTHBEARER";
    }
    return NULL;
}

void kl_node_login_init(kl_node_login *login)
{
    kl_login_config_init(&login->config);
    kl_list_init(&login->users);
}

static void release_token(kl_cluster *c, kl_node_login *login)
{
    char *token = (char *)(uintptr_t)login->config.token;
    if (token)
        kl_wipe_release(&c->alloc, token, strlen(token) + 1);
    login->config.token = NULL;
}

void kl_node_login_deinit(kl_cluster *c, kl_node_login *login)
{
    kl_link *l;
    while ((l = kl_list_pop_front(&login->users)) != NULL)
        kl_wipe_release(&c->alloc, KL_CONTAINER_OF(l, kl_login_user, link), sizeof(kl_login_user));
    release_token(c, login);
}

static kl_node *node_of(const kl_cluster *c, int32_t node_id)
{
    kl_node *node = kl_cluster_find_node(c, node_id);
    KL_ASSERT(node);
    return node;
}

kl_cluster_status kl_cluster_set_login(kl_cluster *c, int32_t node_id,
                                       const kl_login_config *config)
{
    kl_node_login *login = &node_of(c, node_id)->login;
    char *token = NULL;
    if (config->token) {
        size_t size = strlen(config->token) + 1;
        token = kl_mem_alloc(&c->alloc, size);
        if (!token)
            return KL_CLUSTER_NO_MEMORY;
        memcpy(token, config->token, size);
    }
    release_token(c, login);
    login->config = *config;
    login->config.token = token;
    return KL_CLUSTER_OK;
}

kl_login_user *kl_login_find_user(const kl_node *node, const char *name, size_t len)
{
    const kl_list *users = &node->login.users;
    for (kl_link *l = kl_list_first(users); l; l = kl_list_next(users, l)) {
        kl_login_user *user = KL_CONTAINER_OF(l, kl_login_user, link);
        if (strlen(user->name) == len && memcmp(user->name, name, len) == 0)
            return user;
    }
    return NULL;
}

kl_cluster_status kl_cluster_set_user(kl_cluster *c, int32_t node_id, const char *name,
                                      const char *password)
{
    kl_node *node = node_of(c, node_id);
    size_t name_len = strlen(name), password_len = password ? strlen(password) : 0;
    KL_ASSERT(name_len && name_len <= KL_LOGIN_NAME_MAX && password_len <= KL_LOGIN_NAME_MAX);
    kl_login_user *user = kl_login_find_user(node, name, name_len);
    if (!password) {
        /* Exchanges that have begun name it by this address. */
        if (user)
            kl_wipe((char *)user + offsetof(kl_login_user, name),
                    sizeof *user - offsetof(kl_login_user, name));
        return KL_CLUSTER_OK;
    }
    if (!user)
        user = kl_login_find_user(node, "", 0);
    if (!user) {
        user = kl_mem_zalloc(&c->alloc, 1, sizeof *user);
        if (!user)
            return KL_CLUSTER_NO_MEMORY;
        kl_list_push_back(&node->login.users, &user->link);
    }
    memcpy(user->name, name, name_len + 1);
    memset(user->password, 0, sizeof user->password);
    memcpy(user->password, password, password_len);
    memset(user->keys, 0, sizeof user->keys);
    return KL_CLUSTER_OK;
}

static void derive(kl_scram_keys *keys, const kl_login_user *user, kl_sha2_kind kind)
{
    size_t size = kl_sha2_size(kind);
    uint8_t salted[KL_SHA2_SIZE_MAX], client_key[KL_SHA2_SIZE_MAX];
    kl_pbkdf2 d;
    kl_pbkdf2_init(&d, kind, user->password, strlen(user->password), keys->salt, sizeof keys->salt,
                   (uint32_t)keys->iterations);
    while (!kl_pbkdf2_go_on(&d, (uint32_t)keys->iterations))
        ;
    kl_pbkdf2_final(&d, salted);
    kl_hmac_of(kind, salted, size, "Client Key", 10, client_key);
    kl_sha2_of(kind, client_key, size, keys->stored_key);
    kl_hmac_of(kind, salted, size, "Server Key", 10, keys->server_key);
}

const kl_scram_keys *kl_login_keys(kl_cluster *c, const kl_node *node, kl_login_user *user,
                                   kl_sha2_kind kind)
{
    kl_scram_keys *keys = &user->keys[kind];
    if (keys->iterations == 0) {
        keys->iterations = node->login.config.scram_iterations;
        for (size_t i = 0; i < sizeof keys->salt; i++)
            keys->salt[i] = (uint8_t)kl_prng_below(&c->login_prng, 256);
        derive(keys, user, kind);
    }
    return keys;
}

kl_login_totals kl_cluster_logins(const kl_cluster *c)
{
    return c->login_totals;
}
