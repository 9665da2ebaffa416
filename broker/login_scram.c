/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SCRAM-SHA-256 and SCRAM-SHA-512 (RFC 5802, RFC 7677), the server's half. See login_parts.h.
 *
 *     client                                        broker
 *     n,,n=NAME,r=NONCE                       -->
 *                                             <--   r=NONCE+MORE,s=SALT,i=ITERATIONS
 *     c=biws,r=NONCE+MORE,p=PROOF             -->
 *                                             <--   v=SIGNATURE
 *
 * What both sign is kept in one buffer as it is said: NAME,NONCE part, a comma, the broker's
 * message, a comma, and the client's last one without its proof. Whoever wants more than fits is
 * refused, which Kafka would not do.
 */
#include "base/hmac.h"
#include "base/wipe.h"
#include "broker/login_parts.h"

#include <stdio.h>
#include <string.h>

static kl_sha2_kind kind_of(const kl_login_exchange *x)
{
    return x->mechanism == KL_LOGIN_SCRAM_SHA_256 ? KL_SHA2_256 : KL_SHA2_512;
}

/* "X=VALUE" up to a comma or the end; at moves behind it, and over the comma. */
static bool take(const char **at, const char *end, char letter, kloop_string *value)
{
    const char *p = *at;
    if (end - p < 2 || p[0] != letter || p[1] != '=')
        return false;
    p += 2;
    const char *comma = p == end ? NULL : memchr(p, ',', (size_t)(end - p));
    *value = (kloop_string){p, (size_t)((comma ? comma : end) - p)};
    *at = comma ? comma + 1 : end;
    return true;
}

/* =2C and =3D become what they stand for. false: another "=", a zero byte, nothing, or too much. */
static bool plain_name(kloop_string name, char out[KL_LOGIN_NAME_MAX + 1])
{
    size_t n = 0;
    for (size_t i = 0; i < name.len; i++) {
        char ch = name.data[i];
        if (ch == '=') {
            if (name.len - i < 3 || name.data[i + 1] != (name.data[i + 2] == 'C' ? '2' : '3') ||
                (name.data[i + 2] != 'C' && name.data[i + 2] != 'D'))
                return false;
            ch = name.data[i + 2] == 'C' ? ',' : '=';
            i += 2;
        }
        if (ch == 0 || n == KL_LOGIN_NAME_MAX)
            return false;
        out[n++] = ch;
    }
    out[n] = 0;
    return n > 0;
}

static bool is_nonce(kloop_string s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] < 0x21 || s.data[i] > 0x7e)
            return false;
    }
    return s.len > 0;
}

static void draw_nonce(kl_cluster *c, char *out)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    for (size_t i = 0; i < KL_LOGIN_NONCE_CHARS; i++)
        out[i] = letters[kl_prng_below(&c->login_prng, sizeof letters - 1)];
    out[KL_LOGIN_NONCE_CHARS] = 0;
}

static kl_login_verdict first(kl_login_exchange *x, const kl_request *r, kloop_slice said)
{
    const char *at = (const char *)said.data, *begin = at, *end = at + said.len;
    kloop_string authorization = {NULL, 0}, skipped, name, nonce;
    char as[KL_LOGIN_NAME_MAX + 1], more[KL_LOGIN_NONCE_CHARS + 1];
    if (said.len < 3 || memcmp(at, "n,", 2) != 0)
        return KL_LOGIN_REFUSED;
    at += 2;
    if (*at == ',')
        at++;
    else if (!take(&at, end, 'a', &authorization) || !plain_name(authorization, as))
        return KL_LOGIN_REFUSED;
    const char *bare = at;
    take(&at, end, 'm', &skipped);
    if (!take(&at, end, 'n', &name) || !plain_name(name, x->principal) ||
        !take(&at, end, 'r', &nonce) || !is_nonce(nonce))
        return KL_LOGIN_REFUSED;
    x->user = kl_login_find_user(r->peer->node, x->principal, strlen(x->principal));
    if (!x->user)
        return KL_LOGIN_REFUSED;
    if (authorization.data && strcmp(as, x->principal) != 0) {
        x->says = "Authentication failed: Client requested an authorization id that is different "
                  "from username";
        return KL_LOGIN_REFUSED;
    }
    const kl_scram_keys *keys = kl_login_keys(r->cluster, r->peer->node, x->user, kind_of(x));
    char salt[(KL_LOGIN_SALT_BYTES + 2) / 3 * 4 + 1];
    kl_login_base64(salt, keys->salt, sizeof keys->salt);
    draw_nonce(r->cluster, more);
    size_t gs2_len = (size_t)(bare - begin);
    x->bare_len = (size_t)(end - bare);
    if (gs2_len > sizeof x->gs2 || x->bare_len > sizeof x->auth / 2 ||
        nonce.len > sizeof x->auth / 4)
        return KL_LOGIN_REFUSED;
    memcpy(x->gs2, begin, gs2_len);
    x->gs2_len = gs2_len;
    memcpy(x->auth, bare, x->bare_len);
    x->auth[x->bare_len] = ',';
    char *reply = x->auth + x->bare_len + 1;
    size_t room = sizeof x->auth - x->bare_len - 1;
    int len = snprintf(reply, room, "r=%.*s%s,s=%s,i=%d,", (int)nonce.len, nonce.data, more, salt,
                       (int)keys->iterations);
    x->nonce_at = x->bare_len + 3;
    x->nonce_len = nonce.len + KL_LOGIN_NONCE_CHARS;
    x->auth_len = x->bare_len + 1 + (size_t)len;
    x->first_said = true;
    x->reply = (kloop_slice){(const uint8_t *)reply, (size_t)len - 1};
    return KL_LOGIN_MORE;
}

/* Is it the client's header again? Kafka does not look. */
static bool is_bound(const kl_login_exchange *x, kloop_string binding)
{
    uint8_t header[sizeof x->gs2 + 4];
    size_t len;
    return binding.len <= sizeof x->gs2 + 4 &&
           kl_login_unbase64(header, &len, binding.data, binding.len) && len == x->gs2_len &&
           memcmp(header, x->gs2, len) == 0;
}

static void sign(const kl_login_exchange *x, const uint8_t *key, kloop_string without_proof,
                 uint8_t *signature)
{
    kl_hmac_key k;
    kl_hmac h;
    kl_hmac_key_init(&k, kind_of(x), key, kl_sha2_size(kind_of(x)));
    kl_hmac_init(&h, &k);
    kl_hmac_update(&h, x->auth, x->auth_len);
    kl_hmac_update(&h, without_proof.data, without_proof.len);
    kl_hmac_final(&h, signature);
}

static bool is_proof(const kl_login_exchange *x, const kl_scram_keys *keys,
                     kloop_string without_proof, kloop_string proof)
{
    uint8_t signature[KL_SHA2_SIZE_MAX], key[KL_SHA2_SIZE_MAX + 8], digest[KL_SHA2_SIZE_MAX];
    size_t size = kl_sha2_size(kind_of(x)), len;
    if (proof.len > (size + 2) / 3 * 4 || !kl_login_unbase64(key, &len, proof.data, proof.len) ||
        len != size)
        return false;
    sign(x, keys->stored_key, without_proof, signature);
    for (size_t i = 0; i < size; i++)
        key[i] ^= signature[i];
    kl_sha2_of(kind_of(x), key, size, digest);
    return kl_wipe_equal(digest, keys->stored_key, size);
}

static kl_login_verdict last(kl_login_exchange *x, const kl_request *r, kloop_slice said)
{
    const char *begin = (const char *)said.data, *at = begin, *end = at + said.len;
    kloop_string binding, nonce, proof = {NULL, 0};
    const kl_scram_keys *keys = &x->user->keys[kind_of(x)];
    uint8_t signature[KL_SHA2_SIZE_MAX];
    char text[KL_SHA2_SIZE_MAX * 2];
    if (!take(&at, end, 'c', &binding) || !take(&at, end, 'r', &nonce))
        return KL_LOGIN_REFUSED;
    kloop_string without_proof = {begin, 0};
    while (at < end && !proof.data) {
        const char *here = at;
        kloop_string skipped;
        without_proof.len = (size_t)(here - begin) - 1;
        if (!take(&at, end, 'p', &proof) && !take(&at, end, *here, &skipped))
            return KL_LOGIN_REFUSED;
    }
    /* The user may be another one by now, or nobody, or have another password. */
    if (!proof.data || at != end || nonce.len != x->nonce_len ||
        memcmp(nonce.data, x->auth + x->nonce_at, nonce.len) != 0 ||
        strcmp(x->user->name, x->principal) != 0 || keys->iterations == 0 ||
        !is_proof(x, keys, without_proof, proof))
        return KL_LOGIN_REFUSED;
    if (!is_bound(x, binding))
        kl_cluster_complain(r->cluster, KL_COMPLAINT_PROTOCOL,
                            "request %llu, of connection %llu to broker %d: c= of SCRAM is not "
                            "what the exchange began with",
                            (unsigned long long)r->info.request_id,
                            (unsigned long long)r->info.peer_id, r->info.node_id);
    sign(x, keys->server_key, without_proof, signature);
    kl_login_base64(text, signature, kl_sha2_size(kind_of(x)));
    int len = snprintf(x->final, sizeof x->final, "v=%s", text);
    x->reply = (kloop_slice){(const uint8_t *)x->final, (size_t)len};
    return KL_LOGIN_DONE;
}

kl_login_verdict kl_login_scram(kl_login_exchange *x, const kl_request *r, kloop_slice said)
{
    return x->first_said ? last(x, r, said) : first(x, r, said);
}
