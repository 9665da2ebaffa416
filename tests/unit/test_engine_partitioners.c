/* SPDX-License-Identifier: BSD-2-Clause */
/* Which partition a record goes to: partitioner.class, of the producer and of a topic, and a
 * function of the user's. */
#include "core/hashes.h"
#include "core/topics.h"
#include "tests/support/engine_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static host h;
static host_seen seen;
static host_topic *t;

static void begin(const char *key, const char *value, int32_t partitions)
{
    host_new(&h, "linger.ms", "3000", "metadata.max.age.ms", "1000", key, value, NULL);
    t = host_add_topic(&h, "t", partitions);
    for (int32_t i = 0; i < partitions; i++)
        t->leaders[i] = 1;
    host_run(&h);
}

static void deliver(void)
{
    assert_int_equal(kloop_engine_flush(h.e, NULL, h.now), KLOOP_OK);
    host_run(&h);
    while (host_produces(&h, 1)) {
        host_expect_produce(&h, 1, &seen);
        host_answer(&h, 1, (const int16_t[HOST_BATCHES_MAX]){0}, seen.batch_count);
    }
}

static void end(void)
{
    host_close(&h, 0, 0);
    host_end(&h);
}

/* key NULL: none. */
static kloop_status send_key(host_topic *topic, const char *key)
{
    kloop_record r = {.value = {(const uint8_t *)"v", 1}};
    if (key)
        r.key = (kloop_slice){(const uint8_t *)key, strlen(key)};
    return host_send_record(&h, topic, &r);
}

static int32_t partition_of(size_t user)
{
    return host_report_of(&h, user)->partition;
}

static void round_robin_takes_turns(void **state)
{
    (void)state;
    begin("partitioner.class", "org.apache.kafka.clients.producer.RoundRobinPartitioner", 4);
    /* Keys do not matter. */
    for (int i = 0; i < 12; i++)
        assert_int_equal(send_key(t, i % 3 ? "the same" : NULL), KLOOP_OK);
    /* What asks for a partition takes no turn. */
    host_send(&h, t, 3, 1);
    assert_int_equal(send_key(t, NULL), KLOOP_OK);
    deliver();
    for (size_t user = 1; user <= 12; user++)
        assert_int_equal(partition_of(user), (user - 1) % 4);
    assert_int_equal(partition_of(13), 3);
    assert_int_equal(partition_of(14), 0);
    end();
}

/* As Java's: the turn counts on, over those that have a leader now. */
static void round_robin_skips_who_has_no_leader(void **state)
{
    (void)state;
    begin("partitioner.class", "round_robin", 5);
    t->leaders[1] = t->leaders[2] = -1;
    host_sleep(&h, 1001);
    for (int i = 0; i < 7; i++)
        assert_int_equal(send_key(t, NULL), KLOOP_OK);
    static const int32_t led[] = {0, 3, 4};
    deliver();
    for (size_t user = 1; user <= 7; user++)
        assert_int_equal(partition_of(user), led[(user - 1) % 3]);
    t->leaders[1] = 1;
    host_sleep(&h, 1001);
    assert_int_equal(send_key(t, NULL), KLOOP_OK);
    deliver();
    static const int32_t now[] = {0, 1, 3, 4};
    assert_int_equal(partition_of(8), now[7 % 4]);
    /* Nobody has one: all of them, or records would have nowhere to wait. */
    for (int32_t i = 0; i < 5; i++)
        t->leaders[i] = -1;
    host_sleep(&h, 1001);
    for (int i = 0; i < 5; i++)
        assert_int_equal(send_key(t, NULL), KLOOP_OK);
    for (int32_t i = 0; i < 5; i++)
        t->leaders[i] = 1;
    host_sleep(&h, 2000);
    deliver();
    for (size_t user = 9; user <= 13; user++)
        assert_int_equal(partition_of(user), (user - 1) % 5);
    end();
}

static void random_is_among_the_led(void **state)
{
    (void)state;
    begin("partitioner.class", "random", 5);
    for (int led = 5; led >= 4; led--) {
        size_t first = h.user_count + 1;
        for (int i = 0; i < 2000; i++)
            assert_int_equal(send_key(t, i % 2 ? "key" : NULL), KLOOP_OK);
        deliver();
        size_t count[5] = {0};
        for (size_t user = first; user <= h.user_count; user++)
            count[partition_of(user)]++;
        for (int32_t i = 0; i < 5; i++)
            if (t->leaders[i] < 0)
                assert_int_equal(count[i], 0);
            else
                assert_in_range(count[i], 320, 600);
        t->leaders[2] = -1;
        host_sleep(&h, 1001);
    }
    end();
}

/* Each with a key that it knows, a null key and an empty one; the hashes are in test_partitioner.c.
 */
static void keys_by_other_hashes(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int32_t kafka, empty, none; /* -1: together with others */
    } cases[] = {
        {"consistent", 6, 0, 0},   {"consistent_random", 6, -1, -1},
        {"murmur2", 3, 2, 2},      {"murmur2_random", 3, 2, -1},
        {"fnv1a", 4, 2, 2},        {"fnv1a_random", 4, 2, -1},
        {"sarama_hash", 4, 2, -1}, {"sarama_reference", 4, 0, -1},
        {"sticky", 3, 2, -1},      {"uniform_sticky", -1, -1, -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        begin("partitioner", cases[i].name, 7);
        for (int round = 0; round < 3; round++) {
            assert_int_equal(send_key(t, "kafka"), KLOOP_OK);
            assert_int_equal(send_key(t, ""), KLOOP_OK);
            assert_int_equal(send_key(t, NULL), KLOOP_OK);
        }
        int32_t sticky = t->handle->sticky;
        assert_true((sticky >= 0) == (cases[i].none < 0));
        deliver();
        for (size_t user = 1; user <= 9; user += 3) {
            assert_int_equal(partition_of(user), cases[i].kafka < 0 ? sticky : cases[i].kafka);
            assert_int_equal(partition_of(user + 1), cases[i].empty < 0 ? sticky : cases[i].empty);
            assert_int_equal(partition_of(user + 2), cases[i].none < 0 ? sticky : cases[i].none);
        }
        end();
    }
}

static void each_topic_its_own(void **state)
{
    (void)state;
    begin("partitioner.class", "sticky", 3);
    host_topic *other = host_add_topic(&h, "other", 3);
    for (int32_t i = 0; i < 3; i++)
        other->leaders[i] = 1;
    host_run(&h);
    assert_int_equal(kloop_topic_set(other->handle, "partitioner.class", "round_robin", NULL),
                     KLOOP_OK);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(send_key(t, NULL), KLOOP_OK);
        assert_int_equal(send_key(other, NULL), KLOOP_OK);
    }
    /* Another way from here on. */
    assert_int_equal(kloop_topic_set(other->handle, "partitioner.class", "fnv1a", NULL), KLOOP_OK);
    assert_int_equal(send_key(other, "kafka"), KLOOP_OK);
    kloop_error error;
    assert_int_equal(kloop_topic_set(other->handle, "partitioner.class", "fnv", &error),
                     KLOOP_BAD_CONFIG);
    assert_non_null(strstr(error.text, "'fnv' is no partitioner"));
    assert_int_equal(send_key(other, "kafka"), KLOOP_OK);
    deliver();
    for (size_t user = 1; user <= 12; user += 2) {
        assert_int_equal(partition_of(user), partition_of(1));
        assert_int_equal(partition_of(user + 1), (user - 1) / 2 % 3);
    }
    int32_t hashed = (int32_t)(kl_fnv1a((const uint8_t *)"kafka", 5) % 3);
    assert_int_equal(partition_of(13), hashed);
    assert_int_equal(partition_of(14), hashed);
    end();
}

/* ---- A function of the user's ---- */

typedef struct asked {
    int calls;
    int32_t answer;
    int32_t count;
    char key[16];
    const kloop_topic *topic;
} asked;

static int32_t answer(const kloop_topic *topic, const kloop_record *record, int32_t count, void *me)
{
    asked *a = me;
    a->calls++;
    a->count = count;
    a->topic = topic;
    memset(a->key, 0, sizeof a->key);
    if (record->key.data)
        memcpy(a->key, record->key.data, record->key.len);
    return a->answer;
}

static void a_function_chooses(void **state)
{
    (void)state;
    begin("partitioner.class", "murmur2_random", 7);
    asked a = {.answer = 5};
    kloop_topic_set_partitioner(t->handle, answer, &a);
    assert_int_equal(send_key(t, "kafka"), KLOOP_OK);
    assert_ptr_equal(a.topic, t->handle);
    assert_int_equal(a.count, 7);
    assert_string_equal(a.key, "kafka");
    assert_int_equal(send_key(t, NULL), KLOOP_OK);
    assert_int_equal(a.calls, 2);
    assert_string_equal(a.key, "");
    /* Whoever says where, is not asked. */
    host_send(&h, t, 2, 1);
    assert_int_equal(a.calls, 2);
    /* No opinion: as partitioner.class has it. */
    a.answer = -1;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(send_key(t, "kafka"), KLOOP_OK);
        assert_int_equal(send_key(t, NULL), KLOOP_OK);
    }
    assert_int_equal(a.calls, 8);
    /* It is asked each time, also once there is a sticky partition and an open batch. */
    a.answer = 6;
    assert_int_equal(send_key(t, NULL), KLOOP_OK);
    kloop_topic_set_partitioner(t->handle, NULL, NULL);
    assert_int_equal(send_key(t, "kafka"), KLOOP_OK);
    assert_int_equal(a.calls, 9);
    deliver();
    assert_int_equal(partition_of(1), 5);
    assert_int_equal(partition_of(2), 5);
    assert_int_equal(partition_of(3), 2);
    for (size_t user = 4; user <= 9; user += 2) {
        assert_int_equal(partition_of(user), 3);
        assert_int_equal(partition_of(user + 1), partition_of(5));
    }
    assert_int_equal(partition_of(10), 6);
    assert_int_equal(partition_of(11), 3);
    end();
}

static void a_function_that_chooses_badly(void **state)
{
    (void)state;
    begin("linger.ms", "5", 3);
    asked a = {0};
    kloop_topic_set_partitioner(t->handle, answer, &a);
    static const int32_t bad[] = {3, INT32_MAX, -2, INT32_MIN};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        a.answer = bad[i];
        kloop_record r = {.value = {(const uint8_t *)"v", 1}};
        assert_int_equal(host_send_record(&h, t, &r), KLOOP_BAD_PARTITION);
        char text[300];
        char want[200];
        snprintf(want, sizeof want,
                 "the partitioner function of topic 't' chose %d; the topic has 3 partitions "
                 "(0 to 2), and -1 lets the producer choose",
                 (int)bad[i]);
        kloop_send_error(t->handle, &r, KLOOP_BAD_PARTITION, text, sizeof text);
        assert_string_equal(text, want);
    }
    a.answer = 2;
    assert_int_equal(send_key(t, NULL), KLOOP_OK);
    deliver();
    assert_int_equal(partition_of(1), 2);
    end();
}

/* The count is not known when they are sent; they are asked for once it is, in order. */
static int32_t by_first_letter(const kloop_topic *topic, const kloop_record *record, int32_t count,
                               void *me)
{
    (void)topic;
    (void)count;
    (void)me;
    return record->key.data[0] - '0';
}

static void parked_records_are_asked_for_later(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "5", NULL);
    h.hold_metadata = true;
    t = host_add_topic(&h, "t", 3);
    for (int32_t i = 0; i < 3; i++)
        t->leaders[i] = 1;
    host_run(&h);
    kloop_topic_set_partitioner(t->handle, by_first_letter, NULL);
    static const char *const keys[] = {"2", "0", "7", "1", "2", "/", "0", "-"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        assert_int_equal(send_key(t, keys[i]), KLOOP_OK);
    h.hold_metadata = false;
    host_run(&h);
    deliver();
    static const int32_t partitions[] = {2, 0, 7, 1, 2, -1, 0, -1};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        bool refused = partitions[i] > 2 || keys[i][0] == '-';
        if (refused)
            host_expect_fate(&h, i + 1, i + 1, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_PARTITION);
        else
            host_expect_acked(&h, i + 1, i + 1);
        /* "/" is -1, which the producer chooses for. */
        if (keys[i][0] == '/')
            assert_int_equal(partition_of(i + 1), kl_partition_for_key((const uint8_t *)"/", 1, 3));
        else
            assert_int_equal(partition_of(i + 1), partitions[i]);
    }
    host_expect_text(&h, 3, "there is no partition 7, the topic has 3 (0 to 2)");
    end();
}

/* A record of any size takes the same way, in a batch that begins, goes on, and is full. */
static void batches_fill_by_any_partitioner(void **state)
{
    (void)state;
    static const char *const names[] = {"round_robin", "random", "fnv1a", "consistent"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        host_new(&h, "linger.ms", "5", "batch.size", "6000", "partitioner.class", names[i], NULL);
        t = host_add_topic(&h, "t", 3);
        for (int32_t p = 0; p < 3; p++)
            t->leaders[p] = 1;
        host_run(&h);
        for (size_t n = 0; n < 600; n++) {
            assert_int_equal(host_send_bytes(&h, t, -1, n * 7 % 900), KLOOP_OK);
            if (n % 7 == 0)
                assert_int_equal(send_key(t, names[n % 4]), KLOOP_OK);
            if (n % 50 == 0)
                deliver();
        }
        deliver();
        host_expect_acked(&h, 1, h.user_count);
        end();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_robin_takes_turns),
        cmocka_unit_test(round_robin_skips_who_has_no_leader),
        cmocka_unit_test(random_is_among_the_led),
        cmocka_unit_test(keys_by_other_hashes),
        cmocka_unit_test(each_topic_its_own),
        cmocka_unit_test(a_function_chooses),
        cmocka_unit_test(a_function_that_chooses_badly),
        cmocka_unit_test(parked_records_are_asked_for_later),
        cmocka_unit_test(batches_fill_by_any_partitioner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
