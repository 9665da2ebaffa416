/* SPDX-License-Identifier: BSD-2-Clause */
/* SHA-2: the published examples, every length against another implementation, any cut, and every
 * variant that this processor runs. */
#include "base/sha2.h"
#include "tests/support/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void expect(const uint8_t *digest, kl_sha2_kind kind, const char *hex)
{
    char text[2 * KL_SHA2_SIZE_MAX + 1];
    for (size_t i = 0; i < kl_sha2_size(kind); i++) {
        text[2 * i] = "0123456789abcdef"[digest[i] >> 4];
        text[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
    }
    text[2 * kl_sha2_size(kind)] = '\0';
    assert_string_equal(text, hex);
}

static void expect_of(kl_sha2_kind kind, const void *data, size_t len, const char *hex)
{
    uint8_t digest[KL_SHA2_SIZE_MAX];
    kl_sha2_of(kind, data, len, digest);
    expect(digest, kind, hex);
}

/* FIPS 180-2, appendices B and C, and the empty message. */
static void published_examples(void **state)
{
    (void)state;
    static const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    static const char two_long_blocks[] =
        "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
        "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu";
    expect_of(KL_SHA2_256, NULL, 0,
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect_of(KL_SHA2_256, "abc", 3,
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect_of(KL_SHA2_256, two_blocks, sizeof two_blocks - 1,
              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    expect_of(KL_SHA2_512, NULL, 0,
              "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
              "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e");
    expect_of(KL_SHA2_512, "abc", 3,
              "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
              "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
    expect_of(KL_SHA2_512, two_long_blocks, sizeof two_long_blocks - 1,
              "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018"
              "501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909");
}

static void a_million_letters(void **state)
{
    (void)state;
    uint8_t letters[1000], digest[KL_SHA2_SIZE_MAX];
    memset(letters, 'a', sizeof letters);
    kl_sha2 h;
    kl_sha2_init(&h, KL_SHA2_256);
    for (size_t i = 0; i < 1000; i++)
        kl_sha2_update(&h, letters, sizeof letters);
    kl_sha2_final(&h, digest);
    expect(digest, KL_SHA2_256, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    kl_sha2_init(&h, KL_SHA2_512);
    for (size_t i = 0; i < 1000; i++)
        kl_sha2_update(&h, letters, sizeof letters);
    kl_sha2_final(&h, digest);
    expect(digest, KL_SHA2_512,
           "e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973eb"
           "de0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b");
}

static uint8_t pattern(size_t i)
{
    return (uint8_t)(i * 131 + i / 256 * 17 + 7);
}

/* The digest of the digests of each length; the numbers are those of Python's hashlib. */
static void every_length(void **state)
{
    (void)state;
    static const char *const digests[] = {
        "b9873bc35a8f9ddeb93c60db11be22344b2b5a55411ceaa36861d65d172c8c75",
        "3f59d507d248c96923fd224e7b95f81cfe1144526e34b1718daed43cabcb474d"
        "ded9691734b5105137bff9e6e76f93082daa1b5fd06444448c012413793b9a2b"};
    kl_guard g;
    kl_guard_init(&g, 512);
    for (kl_sha2_kind kind = KL_SHA2_256; kind <= KL_SHA2_512; kind++) {
        uint8_t digest[KL_SHA2_SIZE_MAX];
        kl_sha2 all;
        kl_sha2_init(&all, kind);
        for (size_t n = 0; n <= 300; n++) {
            uint8_t *bytes = kl_guard_at_end(&g, n);
            for (size_t i = 0; i < n; i++)
                bytes[i] = pattern(i);
            kl_sha2_of(kind, bytes, n, digest);
            kl_sha2_update(&all, digest, kl_sha2_size(kind));
        }
        kl_sha2_final(&all, digest);
        expect(digest, kind, digests[kind]);
    }
    kl_guard_deinit(&g);
}

static void any_cut(void **state)
{
    (void)state;
    uint8_t bytes[300], whole[KL_SHA2_SIZE_MAX], cut[KL_SHA2_SIZE_MAX];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = pattern(i);
    for (kl_sha2_kind kind = KL_SHA2_256; kind <= KL_SHA2_512; kind++) {
        kl_sha2_of(kind, bytes, sizeof bytes, whole);
        for (size_t a = 0; a <= sizeof bytes; a += 3) {
            for (size_t b = a; b <= sizeof bytes; b += 7) {
                kl_sha2 h;
                kl_sha2_init(&h, kind);
                kl_sha2_update(&h, bytes, a);
                kl_sha2_update(&h, bytes + a, b - a);
                kl_sha2_update(&h, NULL, 0);
                kl_sha2_update(&h, bytes + b, sizeof bytes - b);
                kl_sha2_final(&h, cut);
                assert_memory_equal(cut, whole, kl_sha2_size(kind));
            }
        }
    }
}

/* Block after block, each from where the one before ended. */
static void all_variants_agree(void **state)
{
    (void)state;
    size_t seen = 0;
    for (size_t i = 0; kl_sha2_variant_at(i); i++) {
        const kl_sha2_variant *v = kl_sha2_variant_at(i);
        if (!v->usable())
            continue;
        seen++;
        kl_guard g;
        kl_guard_init(&g, 64);
        kl_sha2_words own, common;
        kl_sha2_begin(&own, KL_SHA2_256);
        common = own;
        uint32_t drawn = 1;
        for (size_t n = 0; n < 5000; n++) {
            uint8_t *block = n & 1 ? kl_guard_at_end(&g, 64) : kl_guard_at_begin(&g, 64);
            for (size_t k = 0; k < 64; k++) {
                drawn = drawn * 1664525 + 1013904223;
                block[k] = (uint8_t)(n < 2 ? 0xff * (n & 1) : drawn >> 24);
            }
            v->compress_256(own.w32, block);
            kl_sha2_compress(&common, KL_SHA2_256, block);
            assert_memory_equal(own.w32, common.w32, sizeof own.w32);
        }
        kl_guard_deinit(&g);
    }
    assert_true(seen >= 1);
}

static void nothing_is_left(void **state)
{
    (void)state;
    static const kl_sha2 empty;
    uint8_t digest[KL_SHA2_SIZE_MAX];
    kl_sha2 h;
    kl_sha2_init(&h, KL_SHA2_512);
    kl_sha2_update(&h, "secret", 6);
    kl_sha2_final(&h, digest);
    assert_memory_equal(&h, &empty, sizeof h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_examples), cmocka_unit_test(a_million_letters),
        cmocka_unit_test(every_length),       cmocka_unit_test(any_cut),
        cmocka_unit_test(all_variants_agree), cmocka_unit_test(nothing_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
