/* SPDX-License-Identifier: BSD-2-Clause */
/* PLAIN (RFC 4616): a name, a user and a password between zero bytes. See login_parts.h. */
#include "broker/login_parts.h"

#include <string.h>

#define PARTS 3 /* authorization id, user, password */

/* How many there are; one too many is as many as are looked at. */
static int cut(kloop_slice said, kloop_string parts[PARTS])
{
    const char *at = (const char *)said.data, *end = at + said.len;
    for (int n = 0; n < PARTS; n++) {
        const char *zero = at == end ? NULL : memchr(at, 0, (size_t)(end - at));
        parts[n] = (kloop_string){at, (size_t)((zero ? zero : end) - at)};
        if (!zero)
            return n + 1;
        at = zero + 1;
    }
    return PARTS + 1;
}

static bool same(kloop_string a, const char *b)
{
    return a.len == strlen(b) && memcmp(a.data, b, a.len) == 0;
}

kl_login_verdict kl_login_plain(kl_login_exchange *x, const kl_request *r, kloop_slice said)
{
    static const char *const miscounted[] = {
        [1] = "Invalid SASL/PLAIN response: expected 3 tokens, got 1",
        [2] = "Invalid SASL/PLAIN response: expected 3 tokens, got 2",
        [4] = "Invalid SASL/PLAIN response: expected 3 tokens, got 4",
    };
    kloop_string parts[PARTS];
    int n = cut(said, parts);
    x->says = n != PARTS          ? miscounted[n]
              : parts[1].len == 0 ? "Authentication failed: username not specified"
              : parts[2].len == 0 ? "Authentication failed: password not specified"
                                  : NULL;
    if (x->says)
        return KL_LOGIN_REFUSED;
    const kl_login_user *user = kl_login_find_user(r->peer->node, parts[1].data, parts[1].len);
    if (!user || !same(parts[2], user->password)) {
        x->says = "Authentication failed: Invalid username or password";
        return KL_LOGIN_REFUSED;
    }
    if (parts[0].len && !same(parts[0], user->name)) {
        x->says = "Authentication failed: Client requested an authorization id that is different "
                  "from username";
        return KL_LOGIN_REFUSED;
    }
    memcpy(x->principal, user->name, sizeof x->principal);
    x->reply = (kloop_slice){(const uint8_t *)"", 0};
    return KL_LOGIN_DONE;
}
