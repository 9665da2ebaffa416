/* SPDX-License-Identifier: BSD-2-Clause */
/* The hash and the partition of a key, against numbers that Kafka's own classes gave. */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kafkas_own_vectors),
        cmocka_unit_test(every_length_at_every_alignment),
        cmocka_unit_test(a_long_key),
        cmocka_unit_test(the_partition_that_java_chooses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
