/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The seeds of the corpora, made by the library itself, always the same.
 *
 *     make_seeds FOLDER            writes FOLDER/TARGET/HASH for each seed that is not there yet
 *     make_seeds --check FOLDER    1 when a message, in any version and direction, is without its
 * minimal, full or max seed, a historical fault is missing, a file's name is not the hash of its
 * content, or all of it is larger than a repository should carry
 *
 * Seeds that hold the output of codec libraries are written but not checked: other versions make
 * other bytes.
 */
#define _POSIX_C_SOURCE 200809L
#include "codecs/codec.h"
#include "fuzz/fuzz.h"
#include "fuzz/seed_faults.h"
#include "fuzz/seed_message.h"
#include "fuzz/seed_packed.h"
#include "fuzz/seed_sasl.h"
#include "fuzz/seed_tls.h"
#include "fuzz/sha1.h"
#include "wiretools/batch_print.h"
#include "wiretools/hex.h"
#include "wiretools/message_print.h"

#include <kloop/wire.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CORPUS_BYTES_MAX ((size_t)3 << 19)

static const char *folder;
static bool checking;
static size_t made;
static size_t missing;

/* make_seeds stands beside the targets and has none of its own. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    (void)data;
    (void)size;
    return 0;
}

/* ---- Files ---- */

static _Noreturn void give_up(const char *path)
{
    perror(path);
    exit(1);
}

static void make_folder(const char *path)
{
    struct stat st;
    if (stat(path, &st) && mkdir(path, 0777))
        give_up(path);
}

/* what is told when the seed is missing; NULL: it is not checked. */
static void seed(const char *target, const uint8_t *data, size_t len, const char *what)
{
    char path[1024];
    char name[41];
    struct stat st;
    kl_sha1_name(data, len, name);
    snprintf(path, sizeof path, "%s/%s", folder, target);
    if (!checking)
        make_folder(path);
    snprintf(path, sizeof path, "%s/%s/%s", folder, target, name);
    made++;
    if (stat(path, &st) == 0)
        return;
    if (checking) {
        if (what) {
            fprintf(stderr, "missing: %s (%s)\n", path, what);
            missing++;
        }
        return;
    }
    FILE *f = fopen(path, "wb");
    if (!f || (len > 0 && fwrite(data, len, 1, f) != 1) || fclose(f))
        give_up(path);
}

static void seed_buf(const char *target, const kl_buf *b, const char *what)
{
    kloop_slice s = kl_buf_slice(b);
    seed(target, s.data, s.len, what);
}

/* ---- Building blocks ---- */

static void put(kl_buf *b, const void *data, size_t len)
{
    KL_FUZZ_CHECK(kl_buf_append(b, data, len));
}

static void put_byte(kl_buf *b, int byte)
{
    KL_FUZZ_CHECK(kl_buf_append_byte(b, (uint8_t)byte));
}

/* Blanks may stand between the bytes. */
static void put_hex(kl_buf *b, const char *hex)
{
    kl_hex_fault fault;
    uint8_t byte;
    for (; *hex; hex += 2) {
        if (*hex == ' ')
            hex++;
        KL_FUZZ_CHECK(kl_hex_decode(&byte, hex, 2, &fault));
        put_byte(b, byte);
    }
}

static uint32_t noise_state;

static uint8_t noise(void)
{
    noise_state = noise_state * 1664525 + 1013904223;
    return (uint8_t)(noise_state >> 24);
}

/* Sixteen places to cut at, as codec_trial.h has them. */
static void put_cuts(kl_buf *b)
{
    put_hex(b, "04070513000000000000000000000000");
}

static const char poem[] =
    "to be sent, or not to be sent: that is the record; to be sent, or not to be sent, again. "
    "{\"user\":4711,\"user\":4712,\"user\":4713,\"user\":4714,\"user\":4715}";

static kloop_slice poem_bytes(void)
{
    return (kloop_slice){(const uint8_t *)poem, sizeof poem - 1};
}

/* ---- Messages ---- */

static void one_message(const kl_selection *s, kl_seed_grade grade)
{
    static const char *const grades[KL_SEED_GRADES] = {"minimal", "full", "max"};
    char what[80];
    kl_buf b;
    kl_buf text;
    kl_json_writer json;
    kloop_fault fault;
    uint8_t pair[KL_SELECTION_BYTES];
    snprintf(what, sizeof what, "%s %d %s, %s", s->api->name, s->version,
             s->half == KLOOP_REQUEST ? "request" : "response", grades[grade]);
    kl_buf_init(&b, &kl_mem_libc);
    kl_buf_init(&text, &kl_mem_libc);
    kl_selection_put(s, pair);
    put(&b, pair, sizeof pair);
    kl_seed_message(s, grade, &b);
    seed_buf("message", &b, what);

    /* The same as JSON; the long ones say nothing new to a reader of JSON. */
    if (grade != KL_SEED_MAX) {
        put_byte(&text, 0);
        put(&text, pair, sizeof pair);
        kl_json_write_init(&json, &text);
        kloop_slice body = {b.data + sizeof pair, b.len - sizeof pair};
        KL_FUZZ_FINE(kl_message_print(&json, s->api->key, s->half, s->version, body, &fault),
                     &fault);
        seed_buf("json_load", &text, grade == KL_SEED_FULL ? what : NULL);
    }
    kl_buf_deinit(&text);
    kl_buf_deinit(&b);
}

/* A script for a struct of this message: noise, tame and wild. */
static void one_struct(const kl_selection *s)
{
    kl_buf b;
    uint8_t pair[KL_SELECTION_BYTES];
    kl_selection_put(s, pair);
    kl_buf_init(&b, &kl_mem_libc);
    put(&b, pair, sizeof pair);
    put_byte(&b, s->version & 1);
    for (int i = 0; i < 60; i++)
        put_byte(&b, noise());
    seed_buf("request_struct", &b, "a struct of each message");
    kl_buf_deinit(&b);
}

static void messages(void)
{
    kl_selection s = {NULL, KLOOP_REQUEST, 0, NULL};
    size_t count = 0;
    noise_state = 1;
    for (; kl_selection_next(&s); count++) {
        for (int grade = 0; grade < KL_SEED_GRADES; grade++)
            one_message(&s, (kl_seed_grade)grade);
        one_struct(&s);
    }
    /* Counted in another way than they were walked. */
    size_t expected = 0;
    for (size_t i = 0; i < kloop_api_count(); i++) {
        const kloop_api *api = kloop_api_at(i);
        expected += (size_t)(api->max_version - api->min_version + 1) *
                    (size_t)(api->has_request + api->has_response);
    }
    KL_FUZZ_CHECK(count == expected);
}

static void faults(void)
{
    kl_buf b;
    kl_buf_init(&b, &kl_mem_libc);
    for (const kl_seed_message_fault *f = kl_seed_message_faults; f->hex; f++) {
        uint8_t pair[KL_SELECTION_BYTES];
        kl_selection s = {kloop_api_find(f->api_key),
                          f->half == 'q' ? KLOOP_REQUEST : KLOOP_RESPONSE, f->version, NULL};
        kl_buf_reset(&b);
        kl_selection_put(&s, pair);
        put(&b, pair, sizeof pair);
        put_hex(&b, f->hex);
        seed_buf("message", &b, f->hex);
    }
    for (const kl_seed_bytes *f = kl_seed_input_faults; f->target; f++) {
        kl_buf_reset(&b);
        put_hex(&b, f->hex);
        seed_buf(f->target, &b, f->hex);
    }
    kl_buf_deinit(&b);
}

static void json_texts(void)
{
    for (const char *const *text = kl_seed_json_texts; *text; text++)
        seed("json", (const uint8_t *)*text, strlen(*text), *text);
}

/* ---- Batches ---- */

static const char golden[] = "000000000000000000000049ffffffff027639736a0000000000010000018bcfe5680"
                             "00000018bcfe568050000000000001092"
                             "00070000000a0000000210000000026b0276001c000a02010a68656c6c6f02026801";

/* A batch as it is, put right, with each kind of refusal on the way, and as JSON. */
static void one_batch(kloop_slice batch, bool checked)
{
    const char *what = checked ? "a batch" : NULL;
    kl_buf b;
    kl_batch_printer printer;
    kloop_fault fault;
    kl_buf_init(&b, &kl_mem_libc);
    put_byte(&b, 0xe0);
    put(&b, batch.data, batch.len);
    seed_buf("record_batch", &b, what);
    b.data[0] = 0x01;
    seed_buf("record_batch", &b, what);
    if (batch.len < 1000) {
        for (int nth = 0; nth < 4; nth++) {
            kl_buf_reset(&b);
            put_byte(&b, 0);
            put_byte(&b, nth);
            put(&b, batch.data, batch.len);
            seed_buf("no_memory", &b, what);
        }
        kl_buf_reset(&b);
        put_byte(&b, 0);
        put_byte(&b, 0x7f);
        put_byte(&b, 0);
        kl_batch_printer_init(&printer, &kl_mem_libc);
        if (kl_batch_print(&printer, batch, &b, &fault) == KLOOP_OK)
            seed_buf("json_load", &b, what);
        kl_batch_printer_deinit(&printer);
    }
    kl_buf_deinit(&b);
}

static kloop_slice write_batch(kloop_batch_writer *w, int16_t attributes, int count)
{
    static const kloop_record_header headers[] = {{{"trace", 5}, {(const uint8_t *)"\x01\x02", 2}},
                                                  {{"", 0}, {NULL, 0}}};
    kloop_batch_header header;
    kloop_fault fault;
    kloop_slice batch;
    kloop_batch_header_init(&header);
    header.attributes = attributes;
    header.base_timestamp = 1700000000000;
    header.max_timestamp = 1700000000000 + count;
    header.last_offset_delta = count - 1;
    if (attributes & KLOOP_BATCH_TRANSACTIONAL) {
        header.producer_id = INT64_MAX;
        header.producer_epoch = 32766;
        header.base_sequence = INT32_MAX;
    }
    kloop_batch_writer_start(w, &header);
    for (int i = 0; i < count; i++) {
        kloop_batch_record record;
        memset(&record, 0, sizeof record);
        record.offset = i;
        record.timestamp = header.base_timestamp + i;
        record.value =
            i % 4 == 3 ? (kloop_slice){NULL, 0} : (kloop_slice){(const uint8_t *)poem + i, 40};
        record.key = i % 3 == 2 ? (kloop_slice){(const uint8_t *)poem, 7} : (kloop_slice){NULL, 0};
        record.headers = kloop_record_headers_of(headers, i % 2 ? 2 : 0);
        KL_FUZZ_FINE(kloop_batch_writer_add(w, &record, &fault), &fault);
    }
    KL_FUZZ_FINE(kloop_batch_writer_end(w, &batch, &fault), &fault);
    return batch;
}

/* The golden batch with a byte changed: one lie for each field that is looked at. */
static void batch_lies(void)
{
    static const struct {
        size_t at;
        uint8_t value;
    } lies[] = {{16, 0},    {16, 1},    {16, 3},    {11, 48},   {11, 0x48}, {11, 0x4a},
                {8, 0x80},  {8, 0x7f},  {17, 0},    {22, 5},    {22, 7},    {22, 1},
                {22, 2},    {22, 3},    {22, 4},    {22, 0x70}, {57, 0x80}, {57, 0x7f},
                {60, 1},    {60, 3},    {60, 0},    {61, 0x0e}, {61, 0x12}, {61, 0x01},
                {61, 0xff}, {65, 0x03}, {65, 0x7e}, {68, 0x01}, {69, 0x05}};
    kl_buf b;
    kl_buf_init(&b, &kl_mem_libc);
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        for (int mended = 0; mended < 2; mended++) {
            kl_buf_reset(&b);
            put_byte(&b, mended ? 0xe1 : 0xe0);
            put_hex(&b, golden);
            b.data[1 + lies[i].at] = lies[i].value;
            seed_buf("record_batch", &b, "a lie about a batch");
        }
    }
    /* A byte too many at the end: of the batch, and as part of the last record. */
    for (int inside = 0; inside < 2; inside++) {
        kl_buf_reset(&b);
        put_byte(&b, 0xe1);
        put_hex(&b, golden);
        put_byte(&b, 0);
        b.data[1 + 11]++;
        if (inside)
            b.data[1 + 70] += 2;
        seed_buf("record_batch", &b, "a byte too many");
    }
    kl_buf_reset(&b);
    put_byte(&b, 0);
    seed_buf("record_batch", &b, "no batch at all");
    kl_buf_deinit(&b);
}

/* A batch whose packed records come from elsewhere. */
static void foreign_batch(kl_codec_id id, kloop_slice packed)
{
    kl_buf b;
    kl_buf_init(&b, &kl_mem_libc);
    put_byte(&b, 0xe1);
    put_hex(&b, golden);
    kl_buf_truncate(&b, 1 + KLOOP_BATCH_HEADER_BYTES);
    b.data[1 + 22] = (uint8_t)id;
    put(&b, packed.data, packed.len);
    KL_FUZZ_CHECK(kloop_batch_reseal(b.data + 1, b.len - 1));
    seed_buf("record_batch", &b, NULL);
    kl_buf_deinit(&b);
}

static void batches(void)
{
    static const int16_t flags[] = {0, KLOOP_BATCH_APPEND_TIME, KLOOP_BATCH_TRANSACTIONAL,
                                    KLOOP_BATCH_TRANSACTIONAL | KLOOP_BATCH_CONTROL |
                                        KLOOP_BATCH_DELETE_HORIZON};
    kl_buf b;
    kloop_batch_writer *w = kloop_batch_writer_new(NULL);
    KL_FUZZ_CHECK(w);
    kl_buf_init(&b, &kl_mem_libc);
    put_hex(&b, golden);
    one_batch(kl_buf_slice(&b), true);
    for (int codec = 0; codec < KL_CODEC_COUNT; codec++) {
        for (size_t f = 0; f < sizeof flags / sizeof flags[0]; f++)
            one_batch(write_batch(w, (int16_t)(codec | flags[f]), f == 3 ? 0 : 1 + (int)f * 4),
                      codec == 0);
        kloop_slice many = write_batch(w, (int16_t)codec, 40);
        one_batch(many, codec == 0);
        put(&b, many.data, many.len);
    }
    /* Batches of every codec in a row. */
    one_batch(kl_buf_slice(&b), false);
    batch_lies();
    kl_buf_deinit(&b);
    kloop_batch_writer_del(w);
}

/* Scripts for batches: each codec with and without a level, steps, limits. */
static void batch_scripts(void)
{
    kl_buf b;
    kl_buf_init(&b, &kl_mem_libc);
    noise_state = 2;
    for (int i = 0; i < 40; i++) {
        kl_buf_reset(&b);
        put_byte(&b, i % 5 | (i & 0xe0) | (i / 5 % 2 ? 0x10 : 0));
        put_byte(&b, i % 3 ? 0xff : 10 + i);
        put_byte(&b, noise());
        put_byte(&b, i);
        for (int k = 0; k < 60 + 10 * i; k++)
            put_byte(&b, k % 7 ? noise() & 0x7f : noise());
        seed_buf("batch_build", &b, "a script for a batch");
    }
    kl_buf_deinit(&b);
}

/* ---- Codecs ---- */

static void one_packed(const kl_codec *codec, kloop_slice packed)
{
    char target[40];
    kl_buf b;
    snprintf(target, sizeof target, "codec_%s", codec->name);
    kl_buf_init(&b, &kl_mem_libc);
    for (int how = 0; how < 4; how += 2) {
        kl_buf_reset(&b);
        put_byte(&b, how);
        put_byte(&b, how ? 5 : 19);
        put_cuts(&b);
        put(&b, packed.data, packed.len);
        seed_buf(target, &b, NULL);
    }
    kl_buf_reset(&b);
    put_byte(&b, 2 | ((int)codec->id - 1) << 2);
    put_byte(&b, 0);
    put(&b, packed.data, packed.len);
    for (int nth = 0; packed.len < 1000 && nth < 5; nth++) {
        b.data[1] = (uint8_t)nth;
        seed_buf("no_memory", &b, NULL);
    }
    kl_buf_deinit(&b);
    foreign_batch(codec->id, packed);
}

/* Content to fold, at a few levels, short and longer than a block. */
static void one_content(const kl_codec *codec, kloop_slice content)
{
    static const uint8_t levels[] = {0, 1, 6, 9, 17, 0xf3};
    char target[40];
    kl_buf b;
    snprintf(target, sizeof target, "codec_%s", codec->name);
    kl_buf_init(&b, &kl_mem_libc);
    for (size_t i = 0; i < sizeof levels; i++) {
        for (int longer = 0; longer < 2; longer++) {
            kl_buf_reset(&b);
            put_byte(&b, longer ? 0x1d : 0x01);
            put_byte(&b, levels[i]);
            put_byte(&b, longer ? 170 : 0);
            put_cuts(&b);
            put(&b, content.data, content.len);
            seed_buf(target, &b, "content to fold");
        }
    }
    for (int nth = 0; nth < 8; nth++) {
        for (int what = 1; what < 4; what += 2) {
            kl_buf_reset(&b);
            put_byte(&b, what | ((int)codec->id - 1) << 2 | 0x10);
            put_byte(&b, nth);
            put(&b, content.data, content.len);
            seed_buf("no_memory", &b, "content to fold without memory");
        }
    }
    kl_buf_deinit(&b);
}

/* As our own compressor writes it. */
static void pack_own(const kl_codec *codec, kloop_slice content, kl_buf *out)
{
    kl_pool pool;
    kl_chain chain;
    kl_compressor *c;
    kl_pool_init(&pool, &kl_mem_libc, 0);
    kl_chain_init(&chain, &pool);
    KL_FUZZ_CHECK(kl_compressor_new(&c, codec->id, KL_CODEC_LEVEL_DEFAULT, &kl_mem_libc) ==
                  KL_CODEC_OK);
    KL_FUZZ_CHECK(kl_compress_begin(c, content.len, &chain) == KL_CODEC_OK);
    KL_FUZZ_CHECK(kl_compress_some(c, &content, 1) == KL_CODEC_OK);
    KL_FUZZ_CHECK(kl_compress_end(c) == KL_CODEC_OK);
    size_t len = kl_chain_len(&chain);
    uint8_t *to = kl_buf_reserve(out, len, NULL);
    KL_FUZZ_CHECK(to);
    kl_chain_copy(&chain, to);
    kl_buf_commit(out, len);
    kl_compressor_del(c);
    kl_chain_clear(&chain);
    kl_pool_deinit(&pool);
}

static void codecs(void)
{
    kl_buf b;
    kl_buf_init(&b, &kl_mem_libc);
    for (int id = 1; id < KL_CODEC_COUNT; id++) {
        const kl_codec *codec = kl_codec_by_id(id);
        one_content(codec, poem_bytes());
        one_content(codec, (kloop_slice){(const uint8_t *)poem, 0});
        one_packed(codec, (kloop_slice){(const uint8_t *)poem, 0});
        for (int whole = 0; whole < 2; whole++) {
            kl_buf_reset(&b);
            pack_own(codec, (kloop_slice){(const uint8_t *)poem, whole ? sizeof poem - 1 : 0}, &b);
            one_packed(codec, kl_buf_slice(&b));
        }
        for (int variant = 0;
             kl_buf_reset(&b), kl_seed_packed(codec->id, variant, poem_bytes(), &b); variant++)
            one_packed(codec, kl_buf_slice(&b));
    }
    kl_buf_deinit(&b);
}

/* ---- Checking what is there ---- */

static uint8_t *read_file(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    struct stat st;
    if (!f || stat(path, &st))
        give_up(path);
    *len = (size_t)st.st_size;
    uint8_t *data = kl_fuzz_exact_room(*len);
    if (*len > 0 && fread(data, *len, 1, f) != 1)
        give_up(path);
    fclose(f);
    return data;
}

/* Answers the bytes of all files below. */
static size_t check_names(const char *path)
{
    size_t total = 0;
    DIR *dir = opendir(path);
    if (!dir)
        give_up(path);
    for (struct dirent *entry; (entry = readdir(dir));) {
        char below[1024];
        struct stat st;
        if (entry->d_name[0] == '.')
            continue;
        snprintf(below, sizeof below, "%s/%s", path, entry->d_name);
        if (stat(below, &st))
            give_up(below);
        if (S_ISDIR(st.st_mode)) {
            total += check_names(below);
            continue;
        }
        size_t len;
        char name[41];
        uint8_t *data = read_file(below, &len);
        kl_sha1_name(data, len, name);
        if (strcmp(name, entry->d_name) != 0) {
            fprintf(stderr, "not named by its content, which is %s: %s\n", name, below);
            missing++;
        }
        free(data);
        total += len;
    }
    closedir(dir);
    return total;
}

int main(int argc, char **argv)
{
    checking = argc == 3 && strcmp(argv[1], "--check") == 0;
    if (argc != 2 && !checking) {
        fprintf(stderr, "make_seeds FOLDER | make_seeds --check FOLDER\n");
        return 2;
    }
    LLVMFuzzerInitialize(&argc, &argv);
    folder = argv[argc - 1];
    if (!checking)
        make_folder(folder);
    messages();
    faults();
    json_texts();
    batches();
    batch_scripts();
    codecs();
    kl_seed_tls(seed_buf);
    kl_seed_sasl(seed_buf);
    printf("%zu seeds\n", made);
    if (checking) {
        size_t total = check_names(folder);
        printf("%zu bytes in all\n", total);
        if (total > CORPUS_BYTES_MAX) {
            fprintf(stderr, "the corpora hold %zu bytes, %zu are allowed\n", total,
                    CORPUS_BYTES_MAX);
            missing++;
        }
    }
    return missing > 0;
}
