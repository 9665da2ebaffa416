/* SPDX-License-Identifier: BSD-2-Clause */
/* What brokers say in an authentication that is not so. See sim_login.h. */
#include "tests/sim/sim.h"

#include <stdio.h>
#include <string.h>

#define RANDOM     SIM_STREAM_LOGIN

#define MANY       10000
#define HUGE_BYTES (2 << 20)

static bool is_scram(const sim *s)
{
    return s->plan.login.mechanism & (KL_LOGIN_SCRAM_SHA_256 | KL_LOGIN_SCRAM_SHA_512);
}

/* ---- Which one ---- */

typedef enum step { STEP_HANDSHAKE, STEP_FIRST, STEP_LAST, STEP_OTHER } step;

static step step_of(const sim *s, const kl_request_info *request, const void *response)
{
    const kloop_sasl_authenticate_response *r = response;
    if (request->api_key == KLOOP_SASL_HANDSHAKE)
        return STEP_HANDSHAKE;
    if (r->error_code)
        return STEP_OTHER;
    if (!is_scram(s))
        return r->auth_bytes.len ? STEP_OTHER : STEP_LAST;
    return r->auth_bytes.len && r->auth_bytes.data[0] == 'v' ? STEP_LAST : STEP_FIRST;
}

static bool fits(const sim *s, sim_lie lie, step at, bool bare)
{
    if (lie <= SIM_LIE_ODD_ERROR)
        return at == STEP_HANDSHAKE;
    if (lie <= SIM_LIE_EMPTY)
        return at == STEP_FIRST;
    if (lie <= SIM_LIE_SERVER_ERROR)
        return at == STEP_LAST && is_scram(s);
    if (lie <= SIM_LIE_REFUSED_ODD)
        return (at == STEP_FIRST || at == STEP_LAST) && !bare;
    /* The broker believes that it is over, and would take what is said then for a request. */
    if (lie < SIM_LIE_MUST_END)
        return at == STEP_LAST && !(bare && s->plan.login.mechanism == KL_LOGIN_OAUTHBEARER);
    return at == STEP_LAST && !bare;
}

static sim_lie choose(sim *s, step at, bool bare)
{
    sim_lie good[SIM_LIE_COUNT];
    size_t n = 0;
    for (int lie = 1; lie < SIM_LIE_COUNT; lie++)
        if (fits(s, (sim_lie)lie, at, bare))
            good[n++] = (sim_lie)lie;
    return n ? good[sim_below(s, RANDOM, n)] : SIM_LIE_NONE;
}

/* ---- Telling it ---- */

static kloop_slice slice_of(const char *text, size_t len)
{
    return (kloop_slice){(const uint8_t *)text, len};
}

/* The value of "X=" in what the broker was about to say. */
static kloop_slice part(kloop_slice said, char letter)
{
    for (size_t i = 0; i + 1 < said.len; i++) {
        if ((i && said.data[i - 1] != ',') || said.data[i] != letter || said.data[i + 1] != '=')
            continue;
        size_t end = i + 2;
        while (end < said.len && said.data[end] != ',')
            end++;
        return (kloop_slice){said.data + i + 2, end - i - 2};
    }
    return (kloop_slice){said.data, 0};
}

#define OURS_CHARS(nonce)                                                                          \
    ((nonce).len > KL_LOGIN_SERVER_NONCE ? (nonce).len - KL_LOGIN_SERVER_NONCE : 0)
#define KL_LOGIN_SERVER_NONCE 24

static void first_lie(sim_lie lie, kloop_sasl_authenticate_response *r)
{
    static char text[HUGE_BYTES + 1000];
    kloop_slice nonce = part(r->auth_bytes, 'r'), salt = part(r->auth_bytes, 's');
    int n = (int)nonce.len, m = (int)salt.len;
    const char *both = (const char *)nonce.data, *s = (const char *)salt.data;
    int ours = (int)OURS_CHARS(nonce), len = 0;
    switch ((int)lie) {
    case SIM_LIE_ITERATIONS_HUGE:
        len = snprintf(text, sizeof text, "r=%.*s,s=%.*s,i=2147483648", n, both, m, s);
        break;
    case SIM_LIE_ITERATIONS_FEW:
        len = snprintf(text, sizeof text, "r=%.*s,s=%.*s,i=4095", n, both, m, s);
        break;
    case SIM_LIE_ITERATIONS_NONE:
        len = snprintf(text, sizeof text, "r=%.*s,s=%.*s,i=0", n, both, m, s);
        break;
    case SIM_LIE_NONCE_OURS:
        len = snprintf(text, sizeof text, "r=%.*s,s=%.*s,i=4096", ours, both, m, s);
        break;
    case SIM_LIE_NONCE_OTHER:
        len = snprintf(text, sizeof text, "r=x%.*s,s=%.*s,i=4096", n - 1, both + 1, m, s);
        if (text[2] == both[0])
            text[2] = 'y';
        break;
    case SIM_LIE_SALT_EMPTY:
        len = snprintf(text, sizeof text, "r=%.*s,s=,i=4096", n, both);
        break;
    case SIM_LIE_SALT_HUGE:
        len = snprintf(text, sizeof text, "r=%.*s,s=", n, both);
        memset(text + len, 'A', HUGE_BYTES);
        memcpy(text + len + HUGE_BYTES, ",i=4096", 7);
        len += HUGE_BYTES + 7;
        break;
    case SIM_LIE_SALT_ODD:
        len = snprintf(text, sizeof text, "r=%.*s,s=*%.*s,i=4096", n, both, m, s);
        break;
    case SIM_LIE_TWICE:
        len = snprintf(text, sizeof text, "r=%.*s,s=%.*s,i=4096,i=4096", n, both, m, s);
        break;
    case SIM_LIE_NUL:
        len = snprintf(text, sizeof text, "r=%.*s,s=%.*s,i=4096", n, both, m, s);
        text[len - 2] = 0;
        break;
    default:
        break;
    }
    r->auth_bytes = slice_of(text, (size_t)len);
}

static void last_lie(sim_lie lie, kloop_sasl_authenticate_response *r)
{
    static char text[200];
    size_t len = r->auth_bytes.len < sizeof text ? r->auth_bytes.len : sizeof text;
    memcpy(text, r->auth_bytes.data, len);
    switch ((int)lie) {
    case SIM_LIE_SIGNATURE_WRONG:
        text[4] = text[4] == 'A' ? 'B' : 'A';
        break;
    case SIM_LIE_SIGNATURE_NONE:
        len = 0;
        break;
    case SIM_LIE_SIGNATURE_CUT:
        len = 2 + (len - 2) / 8 * 4;
        break;
    default:
        len = (size_t)snprintf(text, sizeof text, "e=other-error");
        break;
    }
    r->auth_bytes = slice_of(text, len);
}

static void any_lie(sim *s, sim_lie lie, kloop_sasl_authenticate_response *r)
{
    static char noise[HUGE_BYTES];
    static const char words[] = "the moon is in the wrong house\x1b[2J\r\n";
    switch ((int)lie) {
    case SIM_LIE_REFUSED:
        r->error_code = 58;
        r->error_message = (kloop_string){words, sizeof words - 1};
        break;
    case SIM_LIE_REFUSED_ODD:
        for (size_t i = 0; i < 32000; i++)
            noise[i] = (char)(32 + i % 95);
        memcpy(noise, "\xff\0\x80", 3);
        r->error_code = 58;
        r->error_message = (kloop_string){noise, 32000};
        break;
    case SIM_LIE_ANOTHER_ROUND:
        r->auth_bytes = is_scram(s) ? slice_of("r=abcd,s=QSXCR+Q6sek8bf92,i=4096", 32)
                                    : slice_of("and who else are you?", 21);
        break;
    case SIM_LIE_MEGABYTES:
        memset(noise, 'v', sizeof noise);
        noise[1] = '=';
        r->auth_bytes = slice_of(noise, sizeof noise);
        break;
    case SIM_LIE_LIFETIME_0:
        r->session_lifetime_ms = 0;
        break;
    case SIM_LIE_LIFETIME_1:
        r->session_lifetime_ms = 1;
        break;
    case SIM_LIE_LIFETIME_NEGATIVE:
        r->session_lifetime_ms = -1;
        break;
    default:
        r->session_lifetime_ms = INT64_MAX;
        break;
    }
}

static void handshake_lie(sim_lie lie, kloop_sasl_handshake_response *r)
{
    static kloop_string names[MANY];
    switch ((int)lie) {
    case SIM_LIE_NO_MECHANISMS:
        r->error_code = 33;
        r->mechanisms = kloop_array_of(names, 0);
        break;
    case SIM_LIE_MANY_MECHANISMS:
        for (size_t i = 0; i < MANY; i++)
            names[i] = (kloop_string){"X-MECHANISM-\x1b[31m", 17};
        r->error_code = 33;
        r->mechanisms = kloop_array_of(names, MANY);
        break;
    case SIM_LIE_ILLEGAL_STATE:
        r->error_code = 34;
        break;
    default:
        r->error_code = 199;
        break;
    }
}

void sim_login_answer_passes(sim *s, const kl_request_info *request, void *response)
{
    sim_login *l = &s->login;
    sim_conn *c = request->peer_user;
    bool bare = request->version < 0;
    step at = step_of(s, request, response);
    sim_lie lie = SIM_LIE_NONE;
    if (l->lie_times && fits(s, l->lie, at, bare)) {
        l->lie_times--;
        lie = l->lie;
    } else if (at != STEP_OTHER && sim_fault(s, SIM_FAULT_LOGIN_REFUSED) && !bare) {
        lie = at == STEP_HANDSHAKE ? SIM_LIE_ILLEGAL_STATE : SIM_LIE_REFUSED;
    } else if (sim_fault(s, SIM_FAULT_LOGIN_LIES)) {
        lie = choose(s, at, bare);
    }
    if (lie == SIM_LIE_NONE)
        return;
    l->lies++;
    c->watch.lied |= lie < SIM_LIE_MUST_END;
    sim_note(s, SIM_NOTE_LOGIN, "tells a lie", request->node_id, lie, c->number, 0);
    if (lie <= SIM_LIE_ODD_ERROR)
        handshake_lie(lie, response);
    else if (lie <= SIM_LIE_EMPTY)
        first_lie(lie, response);
    else if (lie <= SIM_LIE_SERVER_ERROR)
        last_lie(lie, response);
    else
        any_lie(s, lie, response);
}
