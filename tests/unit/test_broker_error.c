/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of Kafka's error codes against Kafka's own list (tests/golden/broker_errors.tsv, made
 * by ListErrors.java), its classes against lists by hand, and the texts against what a text must
 * be.
 */
#include <kloop/broker_error.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* The top of the source tree; the default suits a run from there. */
#ifndef KL_SOURCE_ROOT
#define KL_SOURCE_ROOT "."
#endif
#define GOLDEN        KL_SOURCE_ROOT "/tests/golden/broker_errors.tsv"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/*
 * Codes that are retriable here and not in Kafka's hierarchy of exceptions. Kafka's idempotent
 * producer sends the batch of either again, whatever the exception says:
 * OUT_OF_ORDER_SEQUENCE_NUMBER once the batches before it are stored, UNKNOWN_PRODUCER_ID numbered
 * anew from 0.
 */
static const int16_t retriable_here_only[] = {
    KLOOP_BROKER_OUT_OF_ORDER_SEQUENCE_NUMBER,
    KLOOP_BROKER_UNKNOWN_PRODUCER_ID,
};

typedef struct golden_row {
    int code;
    char name[64];
    int retriable;
    int invalid_metadata;
} golden_row;

static FILE *open_golden(void)
{
    FILE *in = fopen(GOLDEN, "r");
    if (!in)
        fail_msg("%s cannot be read", GOLDEN);
    return in;
}

/* The next row that is no comment; false at the end. */
static bool next_golden(FILE *in, golden_row *row)
{
    char line[256];
    do {
        if (!fgets(line, sizeof line, in))
            return false;
    } while (line[0] == '#');
    int end = 0;
    int fields = sscanf(line, "%d\t%63[A-Z_]\t%d\t%d\n%n", &row->code, row->name, &row->retriable,
                        &row->invalid_metadata, &end);
    if (fields != 4 || line[end] != '\0')
        fail_msg("not a row: %s", line);
    return true;
}

static bool is_one_of(int16_t code, const int16_t *codes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (codes[i] == code)
            return true;
    return false;
}

static int has(const kloop_broker_error *error, uint32_t class)
{
    return (error->classes & class) != 0;
}

static void every_code_and_name_is_kafkas(void **state)
{
    (void)state;
    FILE *in = open_golden();
    golden_row row;
    size_t i = 0;
    for (; next_golden(in, &row); i++) {
        const kloop_broker_error *error = kloop_broker_error_at(i);
        if (!error)
            fail_msg("%s is missing", row.name);
        assert_int_equal(error->code, row.code);
        assert_string_equal(error->name, row.name);
    }
    fclose(in);
    assert_int_equal(i, kloop_broker_error_count());
    assert_true(i > 100);
}

static void retry_and_refresh_follow_kafkas_exceptions(void **state)
{
    (void)state;
    FILE *in = open_golden();
    golden_row row;
    size_t exceptions = 0;
    while (next_golden(in, &row)) {
        const kloop_broker_error *error = kloop_broker_error_find((int16_t)row.code);
        assert_non_null(error);
        int retriable = has(error, KLOOP_CLASS_RETRIABLE);
        if (is_one_of(error->code, retriable_here_only, LENGTH(retriable_here_only))) {
            assert_int_equal(row.retriable, 0);
            assert_int_equal(retriable, 1);
            exceptions++;
        } else if (retriable != row.retriable) {
            fail_msg("%s: retriable %d, Kafka says %d", row.name, retriable, row.retriable);
        }
        int refresh = has(error, KLOOP_CLASS_REFRESH_METADATA);
        if (refresh != row.invalid_metadata)
            fail_msg("%s: refresh %d, Kafka says %d", row.name, refresh, row.invalid_metadata);
    }
    fclose(in);
    assert_int_equal(exceptions, LENGTH(retriable_here_only));
}

static void codes_rise_by_one(void **state)
{
    (void)state;
    assert_int_equal(kloop_broker_error_at(0)->code, -1);
    for (size_t i = 1; i < kloop_broker_error_count(); i++)
        assert_int_equal(kloop_broker_error_at(i)->code, kloop_broker_error_at(i - 1)->code + 1);
    assert_null(kloop_broker_error_at(kloop_broker_error_count()));
    assert_null(kloop_broker_error_at(SIZE_MAX));
}

/* The codes of the class are these and no others; codes rise. */
static void expect_class(uint32_t class, const char *class_name, const int16_t *codes, size_t count)
{
    size_t found = 0;
    for (size_t i = 0; i < kloop_broker_error_count(); i++) {
        const kloop_broker_error *error = kloop_broker_error_at(i);
        bool wanted = found < count && codes[found] == error->code;
        if (wanted != (bool)has(error, class))
            fail_msg("%s (%d) %s %s", error->name, error->code,
                     wanted ? "should be" : "should not be", class_name);
        found += wanted;
    }
    assert_int_equal(found, count);
}

#define EXPECT_CLASS(class, ...)                                                                   \
    expect_class(KLOOP_CLASS_##class, #class, (const int16_t[]){__VA_ARGS__},                      \
                 LENGTH(((const int16_t[]){__VA_ARGS__})))

/* RETRIABLE and REFRESH_METADATA are Kafka's own lists, above. */
static void classes_hold_these_codes_only(void **state)
{
    (void)state;
    EXPECT_CLASS(SUCCESS, 0, 46);
    EXPECT_CLASS(REFRESH_COORDINATOR, 15, 16);
    EXPECT_CLASS(ABORTABLE, -1, 10, 17, 18, 21, 22, 25, 29, 30, 32, 42, 43, 45, 47, 48, 55, 59, 69,
                 76, 82, 87, 113, 120);
    EXPECT_CLASS(FATAL, -1, 12, 24, 28, 31, 35, 42, 43, 47, 48, 49, 50, 53, 90);
    EXPECT_CLASS(FENCED, 47, 52, 82, 90, 110, 124, 132);
    EXPECT_CLASS(AUTHORIZATION, 29, 30, 31, 53, 65);
    EXPECT_CLASS(AUTHENTICATION, 33, 34, 58);
    EXPECT_CLASS(REBOOTSTRAP, 129);
    EXPECT_CLASS(SPLIT, 10);
    EXPECT_CLASS(SEQUENCE, 45, 59);
    EXPECT_CLASS(NOT_STORED, 2, 5, 9, 10, 17, 18, 19, 21, 29, 31, 32, 35, 42, 43, 44, 45, 47, 48,
                 49, 53, 59, 72, 74, 75, 76, 87, 89, 90, 100, 103, 120);
}

static void classes_do_not_contradict_each_other(void **state)
{
    (void)state;
    uint32_t known = 2 * KLOOP_CLASS_NOT_STORED - 1;
    for (size_t i = 0; i < kloop_broker_error_count(); i++) {
        const kloop_broker_error *error = kloop_broker_error_at(i);
        if (has(error, KLOOP_CLASS_SUCCESS))
            assert_int_equal(error->classes, KLOOP_CLASS_SUCCESS);
        if (has(error, KLOOP_CLASS_REFRESH_METADATA | KLOOP_CLASS_REFRESH_COORDINATOR))
            assert_true(has(error, KLOOP_CLASS_RETRIABLE));
        if (has(error, KLOOP_CLASS_RETRIABLE)) {
            assert_false(has(error, KLOOP_CLASS_FATAL | KLOOP_CLASS_FENCED));
            assert_false(has(error, KLOOP_CLASS_AUTHORIZATION | KLOOP_CLASS_AUTHENTICATION));
        }
        if (error->classes & ~known)
            fail_msg("%s has a class that no one knows", error->name);
        assert_int_equal(kloop_broker_error_classes(error->code), error->classes);
    }
}

/* A code that Kafka's clients do not retry though one might think so. */
static void some_that_look_retriable_are_not(void **state)
{
    (void)state;
    static const int16_t codes[] = {
        KLOOP_BROKER_BROKER_NOT_AVAILABLE,
        KLOOP_BROKER_REBALANCE_IN_PROGRESS,
        KLOOP_BROKER_TRANSACTION_COORDINATOR_FENCED,
        KLOOP_BROKER_UNKNOWN_SERVER_ERROR,
    };
    for (size_t i = 0; i < LENGTH(codes); i++)
        assert_false(kloop_broker_error_classes(codes[i]) & KLOOP_CLASS_RETRIABLE);
}

static void enum_has_the_codes_of_messages(void **state)
{
    (void)state;
    assert_int_equal(KLOOP_BROKER_UNKNOWN_SERVER_ERROR, -1);
    assert_int_equal(KLOOP_BROKER_NONE, 0);
    assert_int_equal(KLOOP_BROKER_NOT_LEADER_OR_FOLLOWER, 6);
    assert_int_equal(KLOOP_BROKER_DUPLICATE_SEQUENCE_NUMBER, 46);
    assert_int_equal(KLOOP_BROKER_PRODUCER_FENCED, 90);
    assert_int_equal(KLOOP_BROKER_REBOOTSTRAP_REQUIRED, 129);
    static const int16_t codes[] = {
#define CODE_OF(name, code, classes, text) KLOOP_BROKER_##name,
        KLOOP_BROKER_ERROR_MAP(CODE_OF)
#undef CODE_OF
    };
    assert_int_equal(LENGTH(codes), kloop_broker_error_count());
    for (size_t i = 0; i < LENGTH(codes); i++)
        assert_int_equal(codes[i], kloop_broker_error_at(i)->code);
}

static void every_number_is_found_or_unknown(void **state)
{
    (void)state;
    int last = kloop_broker_error_at(kloop_broker_error_count() - 1)->code;
    for (int code = INT16_MIN; code <= INT16_MAX; code++) {
        const kloop_broker_error *error = kloop_broker_error_find((int16_t)code);
        if (code < -1 || code > last) {
            assert_null(error);
            continue;
        }
        assert_non_null(error);
        assert_int_equal(error->code, code);
        assert_ptr_equal(kloop_broker_error_name((int16_t)code), error->name);
        assert_ptr_equal(kloop_broker_error_explain((int16_t)code), error->text);
    }
}

static void names_lead_back_to_their_codes(void **state)
{
    (void)state;
    for (size_t i = 0; i < kloop_broker_error_count(); i++) {
        const kloop_broker_error *error = kloop_broker_error_at(i);
        assert_ptr_equal(kloop_broker_error_find_name(error->name, strlen(error->name)), error);
    }
}

static const kloop_broker_error *find_name(const char *name)
{
    return kloop_broker_error_find_name(name, strlen(name));
}

static void a_name_must_fit_in_full(void **state)
{
    (void)state;
    assert_null(kloop_broker_error_find_name(NULL, 0));
    assert_null(find_name(""));
    assert_null(find_name("NON"));
    assert_null(find_name("NONE "));
    assert_null(find_name("none"));
    assert_null(find_name("NOT_ENOUGH_REPLICA"));
    assert_null(find_name("UNKNOWN_ERROR_CODE"));
    /* The length counts, not a terminator; a name with a NUL inside is another name. */
    assert_int_equal(kloop_broker_error_find_name("NOT_ENOUGH_REPLICAS_AFTER_APPEND", 19)->code,
                     KLOOP_BROKER_NOT_ENOUGH_REPLICAS);
    assert_int_equal(find_name("NOT_ENOUGH_REPLICAS_AFTER_APPEND")->code,
                     KLOOP_BROKER_NOT_ENOUGH_REPLICAS_AFTER_APPEND);
    assert_null(kloop_broker_error_find_name("NONE\0X", 6));
}

static void check_text(const char *text)
{
    size_t len = strlen(text);
    if (len < 20 || len >= 240 || text[len - 1] != '.')
        fail_msg("%zu characters, or no full stop at the end: %s", len, text);
    for (size_t i = 0; i < len; i++)
        if (text[i] < ' ' || text[i] > '~' || (text[i] == ' ' && text[i + 1] == ' '))
            fail_msg("an odd character at %zu: %s", i, text);
}

static const char *const texts[] = {
#define ROW(name, code, classes, text) text,
    KLOOP_BROKER_ERROR_MAP(ROW)
#undef ROW
};

static void every_text_is_a_short_sentence_of_its_own(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(texts); i++) {
        check_text(texts[i]);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(texts[i], texts[k]);
    }
}

/* What a producer can be answered has its text in the library; what it never is has one for all. */
static void texts_that_matter_to_producers_are_in_the_library(void **state)
{
    (void)state;
    static const int16_t others[] = {
        KLOOP_BROKER_OFFSET_OUT_OF_RANGE,
        KLOOP_BROKER_OFFSET_METADATA_TOO_LARGE,
        KLOOP_BROKER_ILLEGAL_GENERATION,
        KLOOP_BROKER_GROUP_AUTHORIZATION_FAILED,
        KLOOP_BROKER_NOT_CONTROLLER,
        KLOOP_BROKER_FETCH_SESSION_ID_NOT_FOUND,
        KLOOP_BROKER_PREFERRED_LEADER_NOT_AVAILABLE,
        KLOOP_BROKER_SNAPSHOT_NOT_FOUND,
        KLOOP_BROKER_STALE_MEMBER_EPOCH,
        KLOOP_BROKER_SHARE_SESSION_LIMIT_REACHED,
    };
    const char *rest = kloop_broker_error_explain(KLOOP_BROKER_SNAPSHOT_NOT_FOUND);
    check_text(rest);
    for (size_t i = 0; i < LENGTH(others); i++)
        assert_string_equal(kloop_broker_error_explain(others[i]), rest);
    size_t told = 0;
    for (size_t i = 0; i < kloop_broker_error_count(); i++) {
        const kloop_broker_error *error = kloop_broker_error_at(i);
        if (strcmp(error->text, rest) == 0)
            continue;
        assert_string_equal(error->text, texts[i]);
        told++;
    }
    assert_true(told > 40);
    static const uint32_t of_producers = KLOOP_CLASS_AUTHENTICATION | KLOOP_CLASS_REBOOTSTRAP |
                                         KLOOP_CLASS_SPLIT | KLOOP_CLASS_SEQUENCE;
    for (size_t i = 0; i < kloop_broker_error_count(); i++)
        if (kloop_broker_error_at(i)->classes & of_producers)
            assert_string_not_equal(kloop_broker_error_at(i)->text, rest);
    assert_string_equal(kloop_broker_error_explain(KLOOP_BROKER_INVALID_REPLICATION_FACTOR),
                        texts[KLOOP_BROKER_INVALID_REPLICATION_FACTOR + 1]);
}

static void an_unknown_code_is_answered_too(void **state)
{
    (void)state;
    static const int16_t codes[] = {INT16_MIN, -2, 1000, INT16_MAX};
    for (size_t i = 0; i < LENGTH(codes); i++) {
        assert_string_equal(kloop_broker_error_name(codes[i]), "UNKNOWN_ERROR_CODE");
        assert_int_equal(kloop_broker_error_classes(codes[i]),
                         kloop_broker_error_classes(KLOOP_BROKER_UNKNOWN_SERVER_ERROR));
        const char *text = kloop_broker_error_explain(codes[i]);
        check_text(text);
        for (size_t k = 0; k < kloop_broker_error_count(); k++)
            assert_string_not_equal(text, kloop_broker_error_at(k)->text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_and_name_is_kafkas),
        cmocka_unit_test(retry_and_refresh_follow_kafkas_exceptions),
        cmocka_unit_test(codes_rise_by_one),
        cmocka_unit_test(classes_hold_these_codes_only),
        cmocka_unit_test(classes_do_not_contradict_each_other),
        cmocka_unit_test(some_that_look_retriable_are_not),
        cmocka_unit_test(enum_has_the_codes_of_messages),
        cmocka_unit_test(every_number_is_found_or_unknown),
        cmocka_unit_test(names_lead_back_to_their_codes),
        cmocka_unit_test(a_name_must_fit_in_full),
        cmocka_unit_test(every_text_is_a_short_sentence_of_its_own),
        cmocka_unit_test(texts_that_matter_to_producers_are_in_the_library),
        cmocka_unit_test(an_unknown_code_is_answered_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
