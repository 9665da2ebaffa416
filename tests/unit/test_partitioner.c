/* SPDX-License-Identifier: BSD-2-Clause */
/* Hashes and partitions of keys, against numbers that Kafka's own classes, librdkafka's own tests
 * and Go gave. */
#include "core/hashes.h"
#include "core/partitioner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t *bytes_of(const char *text)
{
    return (const uint8_t *)text;
}

static void kafkas_own_vectors(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        int32_t hash;
    } cases[] = {
        {"21", -973932308},
        {"foobar", -790332482},
        {"a-little-bit-long-string", -985981536},
        {"a-little-bit-longer-string", -1486304829},
        {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
        {"abc", 479470107},
        {"", 275646681},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(kl_murmur2(bytes_of(cases[i].key), strlen(cases[i].key)),
                         (uint32_t)cases[i].hash);
    assert_int_equal(kl_murmur2(NULL, 0), 275646681);
}

/* Bytes above 127, each length of tail, and each place in memory. */
static void every_length_at_every_alignment(void **state)
{
    (void)state;
    static const uint32_t hashes[] = {
        0x106e08d9, 0x1955c01a, 0xa0407f11, 0xf984888d, 0x52a95e3f, 0x229bedc0, 0x8ffcbed5,
        0xe0448011, 0x585e74ff, 0x0c922980, 0x45c7c30c, 0x171fce77, 0xe6b325d5, 0xb4e18bb3,
        0xec846595, 0xfe5cd398, 0xb11874fd, 0x75f8e26c, 0xe6e49fb6, 0x5256248e, 0x1ad939cd,
        0x6359b9ff, 0x56e8582d, 0x5a013c23, 0xa2b70fd5, 0x695ba539, 0x185339e3, 0x5c939342,
        0x2e242f43, 0xf2318c22, 0xd3471eae, 0x10fd426c, 0x6b324d30, 0xe5400964, 0x83bf9a59,
        0x89755b0c, 0x12d569ff,
    };
    for (size_t len = 0; len < sizeof hashes / sizeof hashes[0]; len++)
        for (size_t shift = 0; shift < 8; shift++) {
            uint8_t room[64];
            memset(room, 0xee, sizeof room);
            for (size_t i = 0; i < len; i++)
                room[shift + i] = (uint8_t)(200 + i * 37);
            assert_int_equal(kl_murmur2(room + shift, len), hashes[len]);
        }
}

static void a_long_key(void **state)
{
    (void)state;
    static uint8_t key[100003];
    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)(i * 31 >> 3);
    assert_int_equal(kl_murmur2(key, sizeof key), 0x86fa0bbf);
}

static void the_partition_that_java_chooses(void **state)
{
    (void)state;
    static const int32_t counts[] = {1, 2, 3, 12, 1000, INT32_MAX};
    static const struct {
        const char *key;
        int32_t partitions[6];
    } cases[] = {
        {"", {0, 1, 0, 9, 681, 275646681}},
        {"a", {0, 0, 1, 4, 524, 584102524}},
        {"21", {0, 0, 0, 0, 340, 1173551340}}, /* its hash is negative */
        {"foobar", {0, 0, 0, 6, 166, 1357151166}},
        {"order-4711", {0, 1, 1, 7, 611, 1584983611}},
        {"\xc3\xbc\xe2\x82\xac", {0, 1, 1, 7, 851, 1453868851}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (size_t n = 0; n < 6; n++)
            assert_int_equal(
                kl_partition_for_key(bytes_of(cases[i].key), strlen(cases[i].key), counts[n]),
                cases[i].partitions[n]);
    assert_int_equal(kl_partition_for_key(NULL, 0, 12), 9);
}

/* What librdkafka expects of its own, which takes the absolute value at once. */
static void fnv1a_of_librdkafka(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        uint32_t hash;
    } cases[] = {
        {"kafka", 0xd33c4e1},
        {"giberish123456789", 0x77a58295},
        {"1234", 0x23bdd03},
        {"234", 0x2dea3cd2},
        {"34", 0x740fa83e},
        {"4", 0x310ca263},
        {"PreAmbleWillBeRemoved,ThePrePartThatIs", 0x65cbd69c},
        {"reAmbleWillBeRemoved,ThePrePartThatIs", 0x6e49c79a},
        {"eAmbleWillBeRemoved,ThePrePartThatIs", 0x69eed356},
        {"AmbleWillBeRemoved,ThePrePartThatIs", 0x6abcc023},
        {"", 0x7ee3623b},
    };
    int negative = 0;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t hash = kl_fnv1a(bytes_of(cases[i].key), strlen(cases[i].key));
        assert_int_equal(hash > INT32_MAX ? 0 - hash : hash, cases[i].hash);
        negative += hash > INT32_MAX;
    }
    assert_in_range(negative, 2, 9);
    assert_int_equal(kl_fnv1a(NULL, 0), 0x811c9dc5);
}

static void crc32_of_zlib(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        uint32_t hash;
    } cases[] = {
        {"", 0},
        {"a", 0xe8b7be43},
        {"123456789", 0xcbf43926},
        {"The quick brown fox jumps over the lazy dog", 0x414fa339},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(kl_crc32(bytes_of(cases[i].key), strlen(cases[i].key)), cases[i].hash);
    assert_int_equal(kl_crc32(NULL, 0), 0);
    static const uint8_t bytes[] = {0xff, 0x80, 0x00, 0x7f, 0xfe};
    assert_int_equal(kl_crc32(bytes, sizeof bytes), 0x13bd3c88);
}

/* Of each partitioner: null key, empty key, "kafka" and "21", among 7. A name stands for whoever
 * chooses. */
#define STICKY (-KL_PARTITION_BY_STICKY)
#define TURN   (-KL_PARTITION_BY_ROUND_ROBIN)
#define RANDOM (-KL_PARTITION_BY_RANDOM)

static int32_t outcome(kl_partitioner_kind kind, bool ignore_keys, kloop_slice key, int32_t count)
{
    const kl_partitioning how = {.kind = kind, .ignore_keys = ignore_keys, .adaptive = true};
    int32_t partition = -77;
    kl_partition_by by = kl_partitioner_judge(&how, key, count, &partition);
    if (by == KL_PARTITION_BY_HASH)
        return partition;
    assert_int_equal(partition, -77);
    return -(int32_t)by;
}

static void null_and_empty_keys(void **state)
{
    (void)state;
    static const int32_t cases[KL_PARTITIONER_KINDS][4] = {
        [KL_PARTITIONER_STICKY] = {STICKY, 2, 3, 3},
        [KL_PARTITIONER_UNIFORM_STICKY] = {STICKY, STICKY, STICKY, STICKY},
        [KL_PARTITIONER_ROUND_ROBIN] = {TURN, TURN, TURN, TURN},
        [KL_PARTITIONER_RANDOM] = {RANDOM, RANDOM, RANDOM, RANDOM},
        [KL_PARTITIONER_CONSISTENT] = {0, 0, 6, 6},
        [KL_PARTITIONER_CONSISTENT_RANDOM] = {STICKY, STICKY, 6, 6},
        [KL_PARTITIONER_MURMUR2] = {2, 2, 3, 3},
        [KL_PARTITIONER_MURMUR2_RANDOM] = {STICKY, 2, 3, 3},
        [KL_PARTITIONER_FNV1A] = {2, 2, 4, 3},
        [KL_PARTITIONER_FNV1A_RANDOM] = {STICKY, 2, 4, 3},
        [KL_PARTITIONER_SARAMA_HASH] = {STICKY, 2, 4, 3},
        [KL_PARTITIONER_SARAMA_REFERENCE] = {STICKY, 0, 4, 6},
    };
    const kloop_slice keys[] = {
        {NULL, 0}, {bytes_of(""), 0}, {bytes_of("kafka"), 5}, {bytes_of("21"), 2}};
    for (int kind = 0; kind < KL_PARTITIONER_KINDS; kind++)
        for (int i = 0; i < 4; i++)
            assert_int_equal(outcome((kl_partitioner_kind)kind, false, keys[i], 7), cases[kind][i]);
    /* partitioner.ignore.keys is a matter of the built-in one alone, as in Java. */
    assert_int_equal(outcome(KL_PARTITIONER_STICKY, true, keys[2], 7), STICKY);
    assert_int_equal(outcome(KL_PARTITIONER_FNV1A, true, keys[2], 7), 4);
}

/* The one hash without an absolute value: 2^31. Go's remainder is of the negative number, and the
 * sign goes after that; C's is of 2^31 itself. */
static void the_most_negative_hash(void **state)
{
    (void)state;
    static const uint8_t key[] = {0xe7, 0xa3, 0x00, 0x6e, 0x79};
    assert_int_equal(kl_fnv1a(key, sizeof key), 0x80000000);
    const kloop_slice slice = {key, sizeof key};
    static const int32_t counts[] = {1, 2, 3, 7, 1000, INT32_MAX};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        int32_t go = (int32_t)(-(INT64_C(-2147483648) % counts[i]));
        assert_int_equal(outcome(KL_PARTITIONER_SARAMA_HASH, false, slice, counts[i]), go);
        assert_int_equal(outcome(KL_PARTITIONER_FNV1A, false, slice, counts[i]), go);
        assert_int_equal(outcome(KL_PARTITIONER_SARAMA_REFERENCE, false, slice, counts[i]), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kafkas_own_vectors),  cmocka_unit_test(every_length_at_every_alignment),
        cmocka_unit_test(a_long_key),          cmocka_unit_test(the_partition_that_java_chooses),
        cmocka_unit_test(fnv1a_of_librdkafka), cmocka_unit_test(crc32_of_zlib),
        cmocka_unit_test(null_and_empty_keys), cmocka_unit_test(the_most_negative_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
