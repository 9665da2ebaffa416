/* SPDX-License-Identifier: BSD-2-Clause */
/* The words of a command line as the job they describe. What is refused is seen in tests/cli. */
#define _POSIX_C_SOURCE 200809L
#include "cli/produce_command.h"
#include "cli/produce_flags.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static kl_produce_flags flags;

/* Up to eleven words. */
static void parse(const char *const *words)
{
    char *argv[12] = {(char *)"produce"};
    int argc = 1;
    kl_options o;
    while (words[argc - 1]) {
        argv[argc] = (char *)(uintptr_t)words[argc - 1];
        argc++;
    }
    kl_produce_flags_init(&flags, "produce");
    kl_options_init(&o, "produce", kl_produce_command.options, kl_produce_command.option_count,
                    argc, argv);
    for (int id; (id = kl_options_next(&o)) != KL_OPTIONS_END;)
        assert_int_equal(kl_produce_flags_take(&flags, &o, id), -1);
    assert_int_equal(kl_produce_flags_finish(&flags, "produce"), -1);
}

#define PARSE(...) parse((const char *const[]){__VA_ARGS__, NULL})

static void assert_text(kloop_string got, const char *wanted)
{
    assert_int_equal(got.len, strlen(wanted));
    assert_memory_equal(got.data, wanted, got.len);
}

static void the_least(void **state)
{
    (void)state;
    PARSE("-t", "t");
    const kl_produce_job *job = &flags.job;
    assert_text(job->form.topic, "t");
    assert_text(job->delimiter, "\n");
    assert_int_equal(job->form.partition, -1);
    assert_null(job->form.key.data);
    assert_int_equal(job->form.header_count, 0);
    assert_false(job->form.json);
    assert_true(job->count_max == UINT64_MAX);
    assert_true(job->rate == 0 && job->byte_rate == 0);
    assert_true(kl_input_files_any(job->files));
    assert_string_equal(kl_input_files_name(job->files), "standard input");
    kl_produce_flags_deinit(&flags);
}

static void keys_and_headers(void **state)
{
    (void)state;
    PARSE("-tt", "-K", "\\t", "-k", "", "-H", "a=b=c", "-H", "null", "-p", "7");
    const kl_record_form *form = &flags.job.form;
    assert_text(form->lines.key_delimiter, "\t");
    assert_false(form->lines.strict);
    assert_non_null(form->key.data);
    assert_int_equal(form->partition, 7);
    assert_int_equal(form->header_count, 2);
    assert_text(form->headers[0].key, "a");
    assert_int_equal(form->headers[0].value.len, 3);
    assert_null(form->headers[1].value.data);
    kl_produce_flags_deinit(&flags);
    PARSE("-tt", "-Z", "-k", "");
    assert_null(flags.job.form.key.data);
    kl_produce_flags_deinit(&flags);
}

/* As kafka-console-producer has it: separators count only where parsing is asked for. */
static void reader_properties(void **state)
{
    (void)state;
    PARSE("-tt", "--reader-property", "key.separator=|");
    assert_int_equal(flags.job.form.lines.key_delimiter.len, 0);
    kl_produce_flags_deinit(&flags);
    PARSE("-tt", "--reader-property", "key.separator=|", "--reader-property", "parse.key=true",
          "--reader-property", "parse.headers=true");
    assert_text(flags.job.form.lines.key_delimiter, "|");
    assert_text(flags.job.form.lines.headers_delimiter, "\t");
    assert_text(flags.job.form.lines.header_separator, ",");
    assert_text(flags.job.form.lines.header_key_separator, ":");
    assert_true(flags.job.form.lines.strict);
    kl_produce_flags_deinit(&flags);
    PARSE("-tt", "--reader-property", "parse.key=true", "--reader-property", "ignore.error=true");
    assert_false(flags.job.form.lines.strict);
    kl_produce_flags_deinit(&flags);
}

static void files(void **state)
{
    (void)state;
    PARSE("-tt", "a", "b");
    assert_true(flags.job.whole_files);
    kl_produce_flags_deinit(&flags);
    PARSE("-tt", "-l", "a", "b");
    assert_false(flags.job.whole_files);
    kl_produce_flags_deinit(&flags);
    PARSE("--input", "json", "a");
    assert_false(flags.job.whole_files);
    assert_null(flags.job.form.topic.data);
    kl_produce_flags_deinit(&flags);
}

static void all_the_rest(void **state)
{
    (void)state;
    PARSE("-tt", "-TEqvv", "-c5", "--rate=3k/min", "--byte-rate=1kiB", "--skip-empty", "-D\\0",
          "--dead-letter=d", "--progress=never");
    const kl_produce_job *job = &flags.job;
    assert_true(job->tee && job->skip_bad && job->quiet && flags.config.quiet);
    assert_int_equal(job->verbose, 2);
    assert_int_equal(job->count_max, 5);
    assert_true(job->rate == 50 && job->byte_rate == 1024);
    assert_true(job->form.skip_empty);
    assert_int_equal(job->delimiter.len, 1);
    assert_int_equal(job->delimiter.data[0], 0);
    assert_string_equal(flags.dead_letter, "d");
    assert_int_equal(job->progress, KL_PROGRESS_NEVER);
    kl_produce_flags_deinit(&flags);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_least),         cmocka_unit_test(keys_and_headers),
        cmocka_unit_test(reader_properties), cmocka_unit_test(files),
        cmocka_unit_test(all_the_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
