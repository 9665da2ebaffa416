/* SPDX-License-Identifier: BSD-2-Clause */
/* Stories of SASL: brokers that do not know us, that lie, that say nothing, sessions that end. */
#include "tests/sim/scenario.h"

#include <string.h>

static void use(sim *s, kl_login_mechanism mechanism)
{
    s->plan.login.mechanism = mechanism;
    sim_login_configure(s);
}

/* Short pauses: how long they are is told elsewhere. */
static void be_quick(sim *s)
{
    sim_set(s, "reconnect.backoff.ms", "10");
    sim_set(s, "reconnect.backoff.max.ms", "20");
    sim_set(s, "retry.backoff.ms", "10");
    sim_set(s, "retry.backoff.max.ms", "20");
}

/* One broker, one partition, delivered to once. */
static void begin(sim *s, kl_login_mechanism mechanism)
{
    sim_cluster(s, 1);
    sim_topic(s, "t", 1, 1);
    use(s, mechanism);
    sim_start(s);
    sim_send(s, 0, 1);
    sim_drain(s, 2 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

static void forget(sim *s, uint64_t ns)
{
    for (int32_t node = 1; node <= s->brokers.count; node++)
        sim_login_forget(s, node, ns);
}

/* The next authentication is told this, and the connection ends; the one behind it goes well. */
static void is_lied_to(sim *s, sim_lie lie)
{
    uint32_t lies = s->login.lies;
    uint32_t before = s->login.authentications;
    s->login.lie = lie;
    s->login.lie_times = 1;
    sim_reset(s, KL_NO_NODE);
    sim_send(s, 0, 3);
    sim_drain(s, 5 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, s->login.lies == lies + 1, "it was told");
    sim_expect(s, s->login.authentications > before, "and the next one is believed");
    sim_expect(s, s->memory.bytes_max < 4000000, "no lie costs memory");
}

static void are_lied_to(sim *s, kl_login_mechanism mechanism, sim_lie from, sim_lie to)
{
    be_quick(s);
    begin(s, mechanism);
    for (int lie = (int)from; lie <= (int)to; lie++)
        is_lied_to(s, (sim_lie)lie);
}

/* ---- All is well ---- */

static void delivers(sim *s, kl_login_mechanism mechanism)
{
    sim_topic(s, "t", 3, 1);
    use(s, mechanism);
    sim_start(s);
    for (int i = 0; i < 10; i++) {
        sim_send(s, 0, 30);
        sim_go(s, 50 * KL_MS);
    }
    sim_drain(s, 2 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, s->login.authentications >= 3, "each broker knows us");
    sim_expect(s, s->login.refusals == 0 && sim_stats(s).disconnects == 0, "and none is in doubt");
}

SIM_SCENARIO(login_plain)
{
    delivers(s, KL_LOGIN_PLAIN);
}

SIM_SCENARIO(login_scram_256)
{
    delivers(s, KL_LOGIN_SCRAM_SHA_256);
}

SIM_SCENARIO(login_scram_512)
{
    delivers(s, KL_LOGIN_SCRAM_SHA_512);
}

SIM_SCENARIO(login_oauthbearer)
{
    s->plan.login.token_life_ms = 3600000;
    s->plan.login.token_delay_ns = 30 * KL_MS;
    delivers(s, KL_LOGIN_OAUTHBEARER);
    sim_expect(s, s->login.tokens == 1, "one token is enough for all");
}

SIM_SCENARIO(login_bare)
{
    s->plan.login.bare = true;
    delivers(s, KL_LOGIN_SCRAM_SHA_256);
}

SIM_SCENARIO(login_over_tls)
{
    s->plan.login.tls = true;
    delivers(s, KL_LOGIN_PLAIN);
}

/* ---- Who is not known ---- */

/* No topic is known yet: nobody waits for two minutes because of a typing error. */
SIM_SCENARIO(wrong_password)
{
    sim_topic(s, "t", 3, 1);
    use(s, KL_LOGIN_SCRAM_SHA_512);
    sim_start(s);
    forget(s, 20 * KL_SECOND);
    sim_send(s, 0, 5);
    sim_go(s, 2 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_FAILED);
    const sim_record *r = sim_ledger_record(s, 1);
    sim_expect(s, r->cause == KLOOP_CAUSE_SECURITY && r->broker_error == 58,
               "and the report says why");
    size_t connects = s->links.count;
    for (int i = 0; i < 10; i++) {
        sim_send(s, 0, 1);
        sim_go(s, KL_SECOND);
    }
    sim_expect(s, s->links.count - connects <= 40, "no storm of attempts");
    sim_expect(s, s->ledger.acked == 0, "nobody knows us");
    sim_go(s, 10 * KL_SECOND);
    uint32_t failed = s->ledger.failed;
    sim_send(s, 0, 5);
    sim_drain(s, 5 * KL_SECOND);
    sim_expect(s, s->ledger.failed == failed && s->ledger.acked == 5,
               "the password is right again");
}

/* Records of a topic that is known keep their time. */
SIM_SCENARIO(forgotten_for_a_while)
{
    sim_topic(s, "t", 3, 1);
    use(s, KL_LOGIN_PLAIN);
    sim_start(s);
    sim_send(s, 0, 30);
    sim_drain(s, KL_SECOND);
    forget(s, 5 * KL_SECOND);
    sim_reset(s, KL_NO_NODE);
    sim_send(s, 0, 30);
    sim_go(s, 4 * KL_SECOND);
    sim_expect(s, s->ledger.acked == 30 && s->ledger.failed == 0, "they wait");
    sim_expect(s, s->login.refusals >= 4 && s->login.refusals <= 40, "asked again, in peace");
    sim_drain(s, 5 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

/* The others go on, also where one broker alone refuses us. */
SIM_SCENARIO(one_broker_refuses)
{
    sim_topic(s, "t", 3, 1);
    use(s, KL_LOGIN_PLAIN);
    sim_start(s);
    for (int32_t p = 0; p < 3; p++)
        sim_send_to(s, 0, p, 1);
    sim_drain(s, KL_SECOND);
    sim_login_forget(s, 3, 6 * KL_SECOND);
    sim_reset(s, 3);
    for (int32_t p = 0; p < 3; p++)
        sim_send_to(s, 0, p, 5);
    sim_go(s, KL_SECOND);
    sim_expect(s, s->ledger.acked == 13, "all but the records of one partition are there");
    sim_drain(s, 8 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

/* ---- Brokers without SASL, hosts without TLS ---- */

/* They answer everything to everybody. We do not ask. */
SIM_SCENARIO(broker_without_sasl)
{
    sim_topic(s, "t", 3, 1);
    s->plan.login.without = ~0u;
    use(s, KL_LOGIN_PLAIN);
    sim_start(s);
    sim_send(s, 0, 5);
    sim_go(s, 3 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_FAILED);
    sim_expect(s, s->book.metadata_requests == 0, "nobody was asked for anything");
    sim_expect(s, sim_ledger_record(s, 1)->cause == KLOOP_CAUSE_SECURITY, "the report says why");
}

/* security.protocol is set, and the host knows of nothing: it is to connect to nobody. */
SIM_SCENARIO(host_that_secures_nothing)
{
    sim_topic(s, "t", 3, 1);
    s->plan.login.unsecured = true;
    use(s, KL_LOGIN_PLAIN);
    sim_start(s);
    sim_send(s, 0, 5);
    sim_go(s, 3 * KL_SECOND);
    sim_expect(s, s->links.count == 0, "no connection is made");
    sim_expect_all(s, SIM_RECORD_FAILED);
    sim_expect(s, sim_ledger_record(s, 1)->cause == KLOOP_CAUSE_SECURITY, "the report says why");
}

SIM_SCENARIO(certificate_not_trusted)
{
    sim_topic(s, "t", 3, 1);
    s->plan.login.tls = true;
    use(s, KL_LOGIN_SCRAM_SHA_256);
    sim_always(s, SIM_FAULT_UNTRUSTED);
    sim_start(s);
    sim_send(s, 0, 5);
    sim_go(s, 2 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_FAILED);
    sim_expect(s, sim_ledger_record(s, 1)->cause == KLOOP_CAUSE_SECURITY, "the report says why");
    sim_faults_end(s);
    sim_go(s, 2 * KL_SECOND);
    sim_send(s, 0, 5);
    sim_drain(s, 4 * KL_SECOND);
    sim_expect(s, s->ledger.acked == 5, "it is the right one again");
}

static uint32_t warnings;

static void count_warnings(sim *s, const char *text)
{
    (void)s;
    warnings += strstr(text, "PLAIN without TLS") != NULL;
}

SIM_SCENARIO(plain_in_the_open)
{
    warnings = 0;
    s->on_log = count_warnings;
    begin(s, KL_LOGIN_PLAIN);
    sim_expect(s, warnings == 1, "it is said once that others can read the password");
}

/* ---- Lies ---- */

SIM_SCENARIO(handshake_lies)
{
    are_lied_to(s, KL_LOGIN_PLAIN, SIM_LIE_NO_MECHANISMS, SIM_LIE_ODD_ERROR);
}

SIM_SCENARIO(iterations_that_lie)
{
    are_lied_to(s, KL_LOGIN_SCRAM_SHA_256, SIM_LIE_ITERATIONS_HUGE, SIM_LIE_ITERATIONS_NONE);
}

SIM_SCENARIO(nonces_that_lie)
{
    are_lied_to(s, KL_LOGIN_SCRAM_SHA_512, SIM_LIE_NONCE_OURS, SIM_LIE_NONCE_OTHER);
}

SIM_SCENARIO(salts_that_lie)
{
    are_lied_to(s, KL_LOGIN_SCRAM_SHA_256, SIM_LIE_SALT_EMPTY, SIM_LIE_EMPTY);
}

SIM_SCENARIO(signatures_that_lie)
{
    are_lied_to(s, KL_LOGIN_SCRAM_SHA_512, SIM_LIE_SIGNATURE_WRONG, SIM_LIE_SERVER_ERROR);
}

SIM_SCENARIO(words_that_lie)
{
    are_lied_to(s, KL_LOGIN_PLAIN, SIM_LIE_REFUSED, SIM_LIE_MEGABYTES);
}

SIM_SCENARIO(scram_never_ends)
{
    are_lied_to(s, KL_LOGIN_SCRAM_SHA_256, SIM_LIE_REFUSED, SIM_LIE_MEGABYTES);
}

SIM_SCENARIO(bearer_never_ends)
{
    s->plan.login.token_life_ms = 3600000;
    are_lied_to(s, KL_LOGIN_OAUTHBEARER, SIM_LIE_REFUSED, SIM_LIE_MEGABYTES);
}

SIM_SCENARIO(lies_to_bare_tokens)
{
    s->plan.login.bare = true;
    are_lied_to(s, KL_LOGIN_SCRAM_SHA_256, SIM_LIE_ITERATIONS_HUGE, SIM_LIE_SERVER_ERROR);
}

/* Always the same lie: each attempt ends, and they get rarer. */
SIM_SCENARIO(lies_for_ever)
{
    begin(s, KL_LOGIN_SCRAM_SHA_256);
    s->login.lie = SIM_LIE_SIGNATURE_WRONG;
    s->login.lie_times = UINT32_MAX;
    sim_reset(s, KL_NO_NODE);
    sim_send(s, 0, 3);
    size_t connects = s->links.count;
    sim_drain(s, 12 * KL_SECOND);
    sim_expect(s, s->ledger.acked == 1, "nobody has proved anything");
    sim_expect(s, s->links.count - connects < 25, "one attempt a second at last");
}

/* More than the least, and as many as are allowed. */
SIM_SCENARIO(many_iterations)
{
    s->plan.login.iterations = 100000;
    sim_set(s, "sasl.scram.iterations.max", "100000");
    begin(s, KL_LOGIN_SCRAM_SHA_256);
}

SIM_SCENARIO(too_many_iterations)
{
    sim_cluster(s, 1);
    sim_topic(s, "t", 1, 1);
    s->plan.login.iterations = 20001;
    sim_set(s, "sasl.scram.iterations.max", "20000");
    use(s, KL_LOGIN_SCRAM_SHA_256);
    sim_start(s);
    sim_send(s, 0, 1);
    sim_drain(s, 8 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_FAILED);
}

/* ---- Silence ---- */

/* Each step is answered by nobody once: the setup time ends it. */
SIM_SCENARIO(login_stalls)
{
    static const int16_t steps[] = {KLOOP_API_VERSIONS, KLOOP_SASL_HANDSHAKE,
                                    KLOOP_SASL_AUTHENTICATE};
    sim_set(s, "delivery.timeout.ms", "20000");
    begin(s, KL_LOGIN_SCRAM_SHA_256);
    for (size_t i = 0; i < 4; i++) {
        size_t connects = s->links.count;
        sim_skip_then(s, i == 3, steps[i < 3 ? i : 2], (kl_request_fate){.end = KL_FATE_SILENT});
        sim_reset(s, KL_NO_NODE);
        sim_send(s, 0, 3);
        sim_go(s, 800 * KL_MS);
        sim_expect(s, s->ledger.acked == 1 + 3 * i, "nothing happens");
        sim_drain(s, 6 * KL_SECOND);
        sim_expect(s, s->links.count <= connects + 3, "the setup time ends it, once");
        sim_no_more(s);
    }
    sim_expect_all(s, SIM_RECORD_ACKED);
}

SIM_SCENARIO(login_byte_by_byte)
{
    sim_always(s, SIM_FAULT_PARTIAL_WRITE);
    sim_always(s, SIM_FAULT_SPLIT_READ);
    s->host.read_max = 1;
    delivers(s, KL_LOGIN_SCRAM_SHA_512);
}

/* The connection is cut behind each byte that is said in an authentication. */
SIM_SCENARIO(login_cut_anywhere)
{
    be_quick(s);
    begin(s, KL_LOGIN_PLAIN);
    for (uint64_t n = 1; n < 160; n += 3) {
        sim_reset(s, KL_NO_NODE);
        sim_send(s, 0, 1);
        for (int i = 0; i < 200 && !sim_link_any(s, 1); i++)
            sim_go(s, KL_MS);
        sim_cut_after(s, 1, n);
        sim_drain(s, 5 * KL_SECOND);
    }
    sim_expect_all(s, SIM_RECORD_ACKED);
}

/* ---- Sessions ---- */

static void load(sim *s, int rounds)
{
    for (int i = 0; i < rounds; i++) {
        sim_send(s, 0, 10);
        sim_go(s, 20 * KL_MS);
    }
}

static void renews(sim *s, kl_login_mechanism mechanism, uint32_t times)
{
    sim_topic(s, "t", 6, 1);
    sim_set(s, "linger.ms", "0");
    use(s, mechanism);
    sim_start(s);
    load(s, 1000);
    sim_drain(s, 2 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, s->login.renewals >= times, "each broker, again and again");
    sim_expect(s, kl_cluster_logins(s->brokers.cluster).expired == 0, "each in time");
    sim_expect(s, sim_stats(s).disconnects == 0 && sim_stats(s).retries == 0,
               "and nobody has noticed");
}

SIM_SCENARIO(sessions_renewed)
{
    s->plan.login.reauth_ms = 3000;
    renews(s, KL_LOGIN_SCRAM_SHA_256, 18);
}

SIM_SCENARIO(sessions_renewed_five_in_flight)
{
    s->plan.pipelined = true;
    s->plan.answer_delay_ns = 60 * KL_MS;
    s->plan.login.reauth_ms = 3000;
    renews(s, KL_LOGIN_PLAIN, 18);
}

/* With tokens that end: each is asked for anew before that. */
SIM_SCENARIO(sessions_end_with_tokens)
{
    s->plan.login.token_life_ms = 8000;
    s->plan.login.token_delay_ns = 100 * KL_MS;
    sim_set(s, "sasl.login.refresh.window.jitter", "0");
    renews(s, KL_LOGIN_OAUTHBEARER, 6);
    sim_expect(s, s->login.tokens >= 3 && s->login.tokens <= 5, "a token each 6.5 seconds");
}

static void lifetime(sim *s, sim_lie lie, uint32_t renewals_max)
{
    be_quick(s);
    begin(s, KL_LOGIN_PLAIN);
    s->login.lie = lie;
    s->login.lie_times = UINT32_MAX;
    sim_reset(s, KL_NO_NODE);
    sim_send(s, 0, 1);
    sim_drain(s, 2 * KL_SECOND);
    size_t connects = s->links.count;
    for (int i = 0; i < 100; i++) {
        sim_send(s, 0, 1);
        sim_go(s, 100 * KL_MS);
    }
    sim_drain(s, 2 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, s->login.renewals <= renewals_max, "as often as makes sense");
    sim_expect(s, s->links.count == connects, "no connection is made for it");
}

SIM_SCENARIO(lifetime_zero)
{
    lifetime(s, SIM_LIE_LIFETIME_0, 0);
}

SIM_SCENARIO(lifetime_negative)
{
    lifetime(s, SIM_LIE_LIFETIME_NEGATIVE, 0);
}

SIM_SCENARIO(lifetime_huge)
{
    lifetime(s, SIM_LIE_LIFETIME_MAX, 0);
}

/* A broker takes no second authentication within a second: so that is the least. */
SIM_SCENARIO(lifetime_of_a_millisecond)
{
    s->plan.login.reauth_ms = 30000;
    lifetime(s, SIM_LIE_LIFETIME_1, 12);
}

/* The loop is held past the end of all sessions: a new connection, or a late renewal, and all is
 * delivered. */
SIM_SCENARIO(renewal_late)
{
    sim_topic(s, "t", 3, 1);
    s->plan.login.reauth_ms = 3000;
    use(s, KL_LOGIN_PLAIN);
    sim_start(s);
    load(s, 10);
    for (int i = 0; i < 3; i++) {
        sim_hold_loop(s, 4 * KL_SECOND);
        sim_go(s, 4 * KL_SECOND);
        load(s, 10);
    }
    sim_drain(s, 5 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

/* Forgotten in the middle of a session: the renewal is refused, then nobody is let in for a while;
 * what was under way is neither lost nor out of order. */
SIM_SCENARIO(renewal_refused)
{
    sim_topic(s, "t", 3, 1);
    s->plan.login.reauth_ms = 3000;
    use(s, KL_LOGIN_SCRAM_SHA_256);
    sim_start(s);
    load(s, 50);
    forget(s, 5 * KL_SECOND);
    load(s, 300);
    sim_expect(s, s->login.refusals > 0, "it was refused");
    sim_drain(s, 6 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

/* A lie in a renewal ends the connection with all that is under way on it. */
SIM_SCENARIO(renewal_lied_to)
{
    sim_topic(s, "t", 3, 1);
    s->plan.login.reauth_ms = 3000;
    use(s, KL_LOGIN_SCRAM_SHA_512);
    sim_start(s);
    load(s, 50);
    for (int lie = SIM_LIE_NO_MECHANISMS; lie < SIM_LIE_MUST_END; lie++) {
        s->login.lie = (sim_lie)lie;
        s->login.lie_times = 1;
        load(s, 160);
        sim_expect(s, s->login.lie_times == 0, "it was told");
    }
    sim_drain(s, 6 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

/* A renewal that nobody answers ends by a timeout. */
SIM_SCENARIO(renewal_stalls)
{
    sim_cluster(s, 1);
    sim_topic(s, "t", 1, 1);
    s->plan.login.reauth_ms = 3000;
    use(s, KL_LOGIN_PLAIN);
    sim_start(s);
    load(s, 50);
    sim_next(s, KLOOP_SASL_AUTHENTICATE, (kl_request_fate){.end = KL_FATE_SILENT});
    load(s, 400);
    sim_drain(s, 6 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, sim_stats(s).disconnects == 1, "that connection is given up");
}

/* ---- Tokens ---- */

SIM_SCENARIO(token_late)
{
    sim_topic(s, "t", 3, 1);
    s->plan.login.token_life_ms = 3600000;
    s->plan.login.token_delay_ns = 3 * KL_SECOND;
    use(s, KL_LOGIN_OAUTHBEARER);
    sim_start(s);
    sim_send(s, 0, 30);
    sim_go(s, 2900 * KL_MS);
    sim_expect(s, s->login.tokens == 1 && s->ledger.acked == 0, "asked for once, and waited for");
    sim_drain(s, 3 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

SIM_SCENARIO(token_fails)
{
    sim_topic(s, "t", 3, 1);
    s->plan.login.token_life_ms = 3600000;
    s->login.token_lack = 6;
    use(s, KL_LOGIN_OAUTHBEARER);
    sim_start(s);
    sim_send(s, 0, 30);
    sim_go(s, 2 * KL_SECOND);
    sim_expect(s, s->login.tokens >= 3 && s->login.tokens <= 6, "asked for later each time");
    sim_expect_all(s, SIM_RECORD_FAILED);
    sim_expect(s, sim_ledger_record(s, 1)->cause == KLOOP_CAUSE_SECURITY,
               "nobody can be asked without one, and that is said");
    sim_go(s, 28 * KL_SECOND);
    sim_expect(s, s->login.token_lack == 0, "and asked for, all the same");
    sim_send(s, 0, 30);
    sim_drain(s, 5 * KL_SECOND);
    sim_expect(s, s->ledger.acked == 30, "there is one now");
}

SIM_SCENARIO(token_never)
{
    sim_topic(s, "t", 3, 1);
    s->plan.login.token_life_ms = 3600000;
    use(s, KL_LOGIN_OAUTHBEARER);
    sim_always(s, SIM_FAULT_TOKEN_NEVER);
    sim_start(s);
    sim_send(s, 0, 5);
    sim_go(s, 9 * KL_SECOND);
    sim_expect(s, s->login.tokens == 1, "asked for once");
    sim_expect_all(s, SIM_RECORD_FAILED);
    sim_run_heal(s);
    sim_send(s, 0, 5);
    sim_drain(s, 6 * KL_SECOND);
    sim_expect(s, s->ledger.acked == 5, "there is one at last");
}

/* Larger than any that somebody has seen, and smaller than what a broker takes. */
SIM_SCENARIO(token_huge)
{
    s->plan.login.token_life_ms = 3600000;
    s->plan.login.token_bytes = 180000;
    delivers(s, KL_LOGIN_OAUTHBEARER);
}

/* Nobody gives out new tokens for a while: connections go on until their sessions end, then there
 * is none, and then there is one. */
SIM_SCENARIO(token_runs_out)
{
    sim_topic(s, "t", 3, 1);
    sim_set(s, "delivery.timeout.ms", "30000");
    s->plan.login.token_life_ms = 4000;
    use(s, KL_LOGIN_OAUTHBEARER);
    sim_start(s);
    load(s, 50);
    s->login.token_lack = 9;
    load(s, 1000);
    sim_drain(s, 30 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, s->login.token_lack == 0, "it was asked for again and again");
}
