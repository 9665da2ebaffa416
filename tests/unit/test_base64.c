/* SPDX-License-Identifier: BSD-2-Clause */
/* Base64: RFC 4648's own examples, exactly one text for each run of bytes, and ids as Kafka prints
 * them. */
#include "base/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static bool decodes(const char *text, size_t len, uint8_t *out, size_t *n)
{
    kl_base64_fault fault = {NULL, SIZE_MAX};
    bool ok = kl_base64_decode(out, n, text, len, &fault);
    assert_true(ok == (fault.reason == NULL));
    return ok;
}

static void the_examples_of_the_rfc(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        size_t n = strlen(pairs[i][0]);
        size_t len = strlen(pairs[i][1]);
        char text[9] = "........";
        uint8_t back[9];
        size_t back_len;
        assert_int_equal(kl_base64_encoded_len(n), len);
        kl_base64_encode(text, (const uint8_t *)pairs[i][0], n);
        assert_memory_equal(text, pairs[i][1], len);
        assert_true(text[len] == '.' || text[len] == '\0');
        assert_true(decodes(text, len, back, &back_len));
        assert_int_equal(back_len, n);
        assert_memory_equal(back, pairs[i][0], n);
        assert_true(kl_base64_decoded_max(len) >= n);
    }
}

static void lengths_that_do_not_fit(void **state)
{
    (void)state;
    assert_int_equal(kl_base64_encoded_len(SIZE_MAX), SIZE_MAX);
    assert_int_equal(kl_base64_encoded_len(SIZE_MAX / 4 * 3 + 3), SIZE_MAX);
    assert_int_equal(kl_base64_encoded_len(SIZE_MAX / 4 * 3), SIZE_MAX / 4 * 4);
    assert_true(kl_base64_decoded_max(SIZE_MAX) > SIZE_MAX / 2);
}

static void any_bytes_there_and_back(void **state)
{
    (void)state;
    uint8_t bytes[300], back[304];
    char text[400];
    for (size_t n = 0; n <= sizeof(bytes); n++) {
        for (size_t i = 0; i < n; i++)
            bytes[i] = (uint8_t)(i * 131 + n * 17);
        size_t len = kl_base64_encoded_len(n);
        kl_base64_encode(text, bytes, n);
        size_t back_len;
        assert_true(decodes(text, len, back, &back_len));
        assert_int_equal(back_len, n);
        assert_memory_equal(back, bytes, n);
        assert_true(decodes(text, len, (uint8_t *)text, &back_len)); /* in place */
        assert_memory_equal(text, bytes, n);
    }
}

/* All texts of two characters and "==", and of three and "=": of those that decode, encoding gives
 * the same text. */
static void only_canonical_text_is_read(void **state)
{
    (void)state;
    size_t sound = 0;
    uint8_t out[4];
    size_t n;
    for (size_t i = 0; i < 64 * 64; i++) {
        char text[4] = {letters[i / 64], letters[i % 64], '=', '='};
        if (decodes(text, 4, out, &n)) {
            char again[4];
            assert_int_equal(n, 1);
            kl_base64_encode(again, out, n);
            assert_memory_equal(again, text, 4);
            sound++;
        }
    }
    assert_int_equal(sound, 256);
    sound = 0;
    for (size_t i = 0; i < 64 * 64 * 64; i++) {
        char text[4] = {letters[i / 4096], letters[i / 64 % 64], letters[i % 64], '='};
        if (decodes(text, 4, out, &n)) {
            char again[4];
            assert_int_equal(n, 2);
            kl_base64_encode(again, out, n);
            assert_memory_equal(again, text, 4);
            sound++;
        }
    }
    assert_int_equal(sound, 65536);
}

static void refused(const char *text, const char *reason, size_t offset)
{
    uint8_t out[64];
    size_t n;
    kl_base64_fault fault = {NULL, SIZE_MAX};
    if (kl_base64_decode(out, &n, text, strlen(text), &fault))
        fail_msg("\"%s\" was read", text);
    assert_string_equal(fault.reason, reason);
    if (fault.offset != offset)
        fail_msg("\"%s\": offset %zu, not %zu", text, fault.offset, offset);
}

static void tells_what_is_wrong_and_where(void **state)
{
    (void)state;
    static const char letter[] = "not a base64 character";
    static const char length[] = "base64 that is no multiple of 4 characters";
    static const char loose[] = "loose bits at the end of base64";
    refused("Q", length, 1);
    refused("QQ", length, 2);
    refused("QUI", length, 3);
    refused("QQ=", length, 3);
    refused("=", length, 1);
    refused("QUJDQ", length, 5);
    refused("QUJDQQ==QUJ", letter, 6);
    refused("QUJ*D", letter, 3);
    refused("====", letter, 0);
    refused("Q===", letter, 1);
    refused("QQ=A", letter, 2);
    refused("=QQQ", letter, 0);
    refused("QQ==QQ==", letter, 2);
    refused("QUJD====", letter, 4);
    refused("QUJDQ===", letter, 5);
    refused("QR==", loose, 1);
    refused("QUJDQR==", loose, 5);
    refused("QUJ=", loose, 2);
    refused(" QUJ", letter, 0);
    refused("QU J", letter, 2);
    refused("QUJD\n", letter, 4);
    refused("QUJ\n", letter, 3);
    refused("QUJDQUJDQ\nJD", letter, 9);
    refused("-_-_", letter, 0);
    refused("QQ\xc3\xa9", letter, 2);
    uint8_t out[4];
    size_t n;
    assert_false(decodes("QUJ\0", 4, out, &n));
    assert_false(decodes("\0\0\0\0", 4, out, &n));
    assert_true(decodes("+/+/", 4, out, &n));
    assert_memory_equal(out, "\xfb\xff\xbf", 3);
    assert_true(decodes(NULL, 0, out, &n));
    assert_int_equal(n, 0);
}

/* Every value that is no letter, at every place of two groups. */
static void every_other_byte_is_refused(void **state)
{
    (void)state;
    for (size_t at = 0; at < 8; at++) {
        for (int c = 0; c < 256; c++) {
            char text[9] = "QUJDQUJD";
            text[at] = (char)c;
            uint8_t out[8];
            size_t n;
            kl_base64_fault fault = {NULL, SIZE_MAX};
            bool letter = c != 0 && strchr(letters, c);
            bool ok = kl_base64_decode(out, &n, text, 8, &fault);
            assert_true(ok == letter);
            if (!ok && c == '=' && at == 7)
                assert_int_equal(fault.offset, 6); /* padding here, but "J" has loose bits then */
            else if (!ok)
                assert_int_equal(fault.offset, at);
        }
    }
}

static void ids_as_kafka_prints_them(void **state)
{
    (void)state;
    static const struct {
        kloop_uuid id;
        const char *text;
    } pairs[] = {
        {{{0}}, "AAAAAAAAAAAAAAAAAAAAAA"},
        {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}}, "AAAAAAAAAAAAAAAAAAAAAQ"},
        {{{0x03, 0xe6, 0x64, 0x9b, 0x18, 0xa2, 0xfd, 0xe7, 0x97, 0x5a, 0x0f, 0xe1, 0x52, 0xa0, 0xf9,
           0x70}},
         "A-Zkmxii_eeXWg_hUqD5cA"},
        {{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
           0xff}},
         "_____________________w"},
    };
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        char text[KL_BASE64_UUID_CHARS];
        kl_base64_encode_uuid(text, &pairs[i].id);
        assert_memory_equal(text, pairs[i].text, sizeof(text));
        kloop_uuid back;
        kl_base64_fault fault;
        assert_true(kl_base64_decode_uuid(&back, text, sizeof(text), &fault));
        assert_memory_equal(&back, &pairs[i].id, sizeof(back));
    }
}

static void id_refused(const char *text, const char *reason, size_t offset)
{
    kloop_uuid id;
    memset(&id, 0x77, sizeof(id));
    kloop_uuid before = id;
    kl_base64_fault fault = {NULL, SIZE_MAX};
    if (kl_base64_decode_uuid(&id, text, strlen(text), &fault))
        fail_msg("\"%s\" was read", text);
    assert_string_equal(fault.reason, reason);
    assert_int_equal(fault.offset, offset);
    assert_memory_equal(&id, &before, sizeof(id));
}

static void ids_that_are_none(void **state)
{
    (void)state;
    static const char length[] = "an id that is not 22 characters";
    static const char letter[] = "not a base64 character";
    id_refused("", length, 0);
    id_refused("AAAA", length, 4);
    id_refused("A-Zkmxii_eeXWg_hUqD5c", length, 21);
    id_refused("A-Zkmxii_eeXWg_hUqD5cAA", length, 22);
    id_refused("A-Zkmxii_eeXWg_hUqD5cA==", length, 22);
    id_refused("A+Zkmxii_eeXWg_hUqD5cA", letter, 1);
    id_refused("A-Zkmxii_eeXWg_hUqD5/A", letter, 20);
    id_refused("A-Zkmxii_eeXWg_hUqD5c=", letter, 21);
    id_refused("AAAAAAAAAAAAAAAAAAAA==", letter, 20);
    id_refused("A-Zkmxii eeXWg_hUqD5cA", letter, 8);
    id_refused("A-Zkmxii_eeXWg_hUqD5cB", "loose bits at the end of base64", 21);
    id_refused("A-Zkmxii_eeXWg_hUqD5cP", "loose bits at the end of base64", 21);
}

/* Tokens are written so: no padding, and the other two letters. */
static void the_form_for_urls(void **state)
{
    (void)state;
    uint8_t bytes[300], back[304];
    char text[402];
    for (size_t n = 0; n <= sizeof(bytes); n++) {
        for (size_t i = 0; i < n; i++)
            bytes[i] = (uint8_t)(i * 131 + n * 17);
        size_t len = kl_base64_encode_url(text, bytes, n);
        assert_int_equal(len, (4 * n + 2) / 3);
        assert_null(memchr(text, '=', len));
        assert_null(memchr(text, '+', len));
        kl_base64_fault fault;
        size_t back_len;
        assert_true(kl_base64_decode_url(back, &back_len, text, len, &fault));
        assert_int_equal(back_len, n);
        assert_memory_equal(back, bytes, n);
    }
    kl_base64_fault fault;
    size_t n;
    assert_true(kl_base64_decode_url(back, &n, "-_8", 3, &fault));
    assert_memory_equal(back, "\xfb\xff", 2);
    assert_false(kl_base64_decode_url(back, &n, "+/8", 3, &fault));
    assert_int_equal(fault.offset, 0);
    assert_false(kl_base64_decode_url(back, &n, "QQ==", 4, &fault));
    assert_int_equal(fault.offset, 2);
    assert_false(kl_base64_decode_url(back, &n, "QUJDQ", 5, &fault));
    assert_string_equal(fault.reason, "one base64 character too many");
    assert_false(kl_base64_decode_url(back, &n, "QR", 2, &fault));
    assert_string_equal(fault.reason, "loose bits at the end of base64");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_the_rfc),
        cmocka_unit_test(lengths_that_do_not_fit),
        cmocka_unit_test(any_bytes_there_and_back),
        cmocka_unit_test(only_canonical_text_is_read),
        cmocka_unit_test(tells_what_is_wrong_and_where),
        cmocka_unit_test(every_other_byte_is_refused),
        cmocka_unit_test(the_form_for_urls),
        cmocka_unit_test(ids_as_kafka_prints_them),
        cmocka_unit_test(ids_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
