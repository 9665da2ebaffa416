/* SPDX-License-Identifier: BSD-2-Clause */
/* HMAC and PBKDF2: the examples of RFC 4231 and RFC 7914, those of RFC 6070 with another hash, many
 * lengths against another implementation, and any way to cut the work. */
#include "base/hmac.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void expect(const uint8_t *mac, kl_sha2_kind kind, const char *hex)
{
    char text[2 * KL_SHA2_SIZE_MAX + 1];
    for (size_t i = 0; i < kl_sha2_size(kind); i++) {
        text[2 * i] = "0123456789abcdef"[mac[i] >> 4];
        text[2 * i + 1] = "0123456789abcdef"[mac[i] & 15];
    }
    text[2 * kl_sha2_size(kind)] = '\0';
    assert_string_equal(text, hex);
}

/* RFC 4231 */
static const struct {
    const char *key;
    size_t key_len;
    const char *data;
    size_t len;
    const char *hex_256;
    const char *hex_512;
} examples[] = {
    {"\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b", 20,
     "Hi There", 8, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
     "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f"
     "4e4be9d914eeb61f1702e696c203a126854"},
    {"Jefe", 4, "what do ya want for nothing?", 28,
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
     "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e"
     "6fdcaeab1a34d4a6b4b636e070a38bce737"},
    {"\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa", 20,
     "\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd"
     "\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd"
     "\xdd\xdd\xdd\xdd",
     50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
     "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39bf3e848279a722c806b485a47e67c"
     "807b946a337bee8942674278859e13292fb"},
    {"\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17"
     "\x18\x19",
     25,
     "\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd"
     "\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd"
     "\xcd\xcd\xcd\xcd",
     50, "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
     "b0ba465637458c6990e5a8c5f61d4af7e576d97ff94b872de76f8050361ee3dba91ca5c11aa25eb4d679275cc5788"
     "063a5f19741120c4f2de2adebeb10a298dd"},
    {"\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa"
     "\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa"
     "\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa"
     "\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa"
     "\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa"
     "\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa",
     131, "Test Using Larger Than Block-Size Key - Hash Key First", 54,
     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
     "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598bd0fd2215d6a1"
     "e5295e64f73f63f0aec8b915a985d786598"},
    {"\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa"
     "\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa"
     "\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa"
     "\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa"
     "\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa"
     "\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa",
     131,
     "This is a test using a larger than block-size key and a larger than block-size data. The key "
     "needs to be hashed before being used by the HMAC algorithm.",
     152, "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
     "e37b6a775dc87dbaa4dfa9f96e5e3ffddebd71f8867289865df5a32d20cdc944b6022cac3c4982b10d5eeb55c3e4d"
     "e15134676fb6de0446065c97440fa8c6a58"},
};

static void published_examples(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        uint8_t mac[KL_SHA2_SIZE_MAX];
        kl_hmac_of(KL_SHA2_256, examples[i].key, examples[i].key_len, examples[i].data,
                   examples[i].len, mac);
        expect(mac, KL_SHA2_256, examples[i].hex_256);
        kl_hmac_of(KL_SHA2_512, examples[i].key, examples[i].key_len, examples[i].data,
                   examples[i].len, mac);
        expect(mac, KL_SHA2_512, examples[i].hex_512);
    }
}

static uint8_t bytes[2000];

static void fill(void)
{
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 131 + i / 256 * 17 + 7);
}

/* The digest of the codes of keys and texts of many lengths; the numbers are those of Python's
 * hmac. */
static void many_lengths(void **state)
{
    (void)state;
    static const char *const digests[] = {
        "1c8ad717ad2dd3936ad6640b40548c8f86e0fcfa2f36a256d7a584ff4d4ab6f9",
        "98fdb1585601dc6e00967de73575d334ca4a285c13ab3844240668670bdebe77"
        "b78c7a60cd4e0faeef3798ee7b6b5a0f4ef6367a32cd17b8f7afc349a8459605"};
    fill();
    for (kl_sha2_kind kind = KL_SHA2_256; kind <= KL_SHA2_512; kind++) {
        uint8_t mac[KL_SHA2_SIZE_MAX];
        kl_sha2 all;
        kl_sha2_init(&all, kind);
        for (size_t n = 0; n <= 300; n++) {
            size_t len = n * 7 % 301;
            kl_hmac_key key;
            kl_hmac h;
            kl_hmac_key_init(&key, kind, bytes, n);
            kl_hmac_init(&h, &key);
            kl_hmac_update(&h, bytes + n, len / 3);
            kl_hmac_update(&h, bytes + n + len / 3, len - len / 3);
            kl_hmac_final(&h, mac);
            kl_sha2_update(&all, mac, kl_sha2_size(kind));
        }
        kl_sha2_final(&all, mac);
        expect(mac, kind, digests[kind]);
    }
}

static void derive(kl_sha2_kind kind, const char *password, size_t password_len, const char *salt,
                   size_t salt_len, uint32_t iterations, uint32_t piece, uint8_t *key)
{
    kl_pbkdf2 d;
    kl_pbkdf2_init(&d, kind, password, password_len, salt, salt_len, iterations);
    size_t rounds = 1;
    while (!kl_pbkdf2_go_on(&d, piece))
        rounds++;
    assert_int_equal(rounds, iterations == 1 ? 1 : (iterations - 2) / piece + 1);
    kl_pbkdf2_final(&d, key);
}

static void published_keys(void **state)
{
    (void)state;
    uint8_t key[KL_SHA2_SIZE_MAX];
    /* RFC 7914, section 11; the first blocks of these two. */
    derive(KL_SHA2_256, "passwd", 6, "salt", 4, 1, 1, key);
    expect(key, KL_SHA2_256, "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc");
    derive(KL_SHA2_256, "Password", 8, "NaCl", 4, 80000, 1000, key);
    expect(key, KL_SHA2_256, "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56");
    /* The inputs of RFC 6070, whose results are those of another hash. */
    derive(KL_SHA2_256, "password", 8, "salt", 4, 1, 7, key);
    expect(key, KL_SHA2_256, "120fb6cffcf8b32c43e7225256c4f837a86548c92ccc35480805987cb70be17b");
    derive(KL_SHA2_256, "password", 8, "salt", 4, 2, 7, key);
    expect(key, KL_SHA2_256, "ae4d0c95af6b46d32d0adff928f06dd02a303f8ef3c251dfd6e2d85a95474c43");
    derive(KL_SHA2_256, "password", 8, "salt", 4, 4096, 7, key);
    expect(key, KL_SHA2_256, "c5e478d59288c841aa530db6845c4c8d962893a001ce4e11a4963873aa98134a");
    derive(KL_SHA2_256, "pass\0word", 9, "sa\0lt", 5, 4096, 7, key);
    expect(key, KL_SHA2_256, "89b69d0516f829893c696226650a86878c029ac13ee276509d5ae58b6466a724");
    derive(KL_SHA2_512, "password", 8, "salt", 4, 1, 7, key);
    expect(key, KL_SHA2_512,
           "867f70cf1ade02cff3752599a3a53dc4af34c7a669815ae5d513554e1c8cf252"
           "c02d470a285a0501bad999bfe943c08f050235d7d68b1da55e63f73b60a57fce");
    derive(KL_SHA2_512, "password", 8, "salt", 4, 4096, 7, key);
    expect(key, KL_SHA2_512,
           "d197b1b33db0143e018b12f3d1d1479e6cdebdcc97c5c0f87f6902e072f457b5"
           "143f30602641b3d55cd335988cb36b84376060ecd532e039b742a239434af2d5");
    derive(KL_SHA2_512, "passwordPASSWORDpassword", 24, "saltSALTsaltSALTsaltSALTsaltSALTsalt", 36,
           4096, 1000000, key);
    expect(key, KL_SHA2_512,
           "8c0511f4c6e597c6ac6315d8f0362e225f3c501495ba23b868c005174dc4ee71"
           "115b59f9e60cd9532fa33e0f75aefe30225c583a186cd82bd4daea9724a3d3b8");
}

/* Passwords longer than a block, salts of any length; the numbers are those of Python's hashlib. */
static void many_keys(void **state)
{
    (void)state;
    static const char *const digests[] = {
        "d0bd5ec10e4524dc83d4b541fc44a6ffe63113475ef4dd143e6392c87eb00663",
        "8a9c97100720f2d962d8563a0dda67bcf488927873c45f07040f11398e52a8c2"
        "6bf36921c0050385c168ea8c5bf452da4d0900cf9041bbc2469b2ca142811794"};
    fill();
    const char *text = (const char *)bytes;
    for (kl_sha2_kind kind = KL_SHA2_256; kind <= KL_SHA2_512; kind++) {
        uint8_t key[KL_SHA2_SIZE_MAX];
        kl_sha2 all;
        kl_sha2_init(&all, kind);
        for (size_t n = 1; n <= 60; n++) {
            derive(kind, text, n * 5, text + n, n % 37, (uint32_t)n * 3, 1 + (uint32_t)n % 11, key);
            kl_sha2_update(&all, key, kl_sha2_size(kind));
        }
        kl_sha2_final(&all, key);
        expect(key, kind, digests[kind]);
    }
}

static void any_cut(void **state)
{
    (void)state;
    for (kl_sha2_kind kind = KL_SHA2_256; kind <= KL_SHA2_512; kind++) {
        uint8_t whole[KL_SHA2_SIZE_MAX], cut[KL_SHA2_SIZE_MAX];
        derive(kind, "pencil", 6, "salt", 4, 50, 49, whole);
        for (uint32_t piece = 1; piece < 49; piece++) {
            derive(kind, "pencil", 6, "salt", 4, 50, piece, cut);
            assert_memory_equal(cut, whole, kl_sha2_size(kind));
        }
    }
}

static void nothing_is_left(void **state)
{
    (void)state;
    static const kl_hmac no_hmac;
    static const kl_pbkdf2 no_work;
    uint8_t out[KL_SHA2_SIZE_MAX];
    kl_hmac_key key;
    kl_hmac h;
    kl_hmac_key_init(&key, KL_SHA2_512, "secret", 6);
    kl_hmac_init(&h, &key);
    kl_hmac_final(&h, out);
    assert_memory_equal(&h, &no_hmac, sizeof h);
    kl_pbkdf2 d;
    kl_pbkdf2_init(&d, KL_SHA2_512, "secret", 6, "salt", 4, 3);
    assert_false(kl_pbkdf2_go_on(&d, 1));
    assert_true(kl_pbkdf2_go_on(&d, 1));
    assert_true(kl_pbkdf2_go_on(&d, 1));
    kl_pbkdf2_final(&d, out);
    assert_memory_equal(&d, &no_work, sizeof d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_examples),
        cmocka_unit_test(many_lengths),
        cmocka_unit_test(published_keys),
        cmocka_unit_test(many_keys),
        cmocka_unit_test(any_cut),
        cmocka_unit_test(nothing_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
