/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The raw snappy block: any bytes are judged as a naive reader judges them and give the same
 * content; what is compressed comes back, from both readers, and stays within its bound.
 *
 * Input: how (1 byte), then
 *   even: room (2 bytes), then a block
 *   odd:  repetitions (1 byte), then content
 */
#include "codecs/snappy_raw.h"
#include "fuzz/drawn.h"
#include "fuzz/fuzz.h"
#include "fuzz/naive_snappy.h"

#include <stdlib.h>
#include <string.h>

static void check_fault(kl_snappy_error error, kloop_slice block, size_t room, size_t written,
                        size_t fault_at)
{
    uint32_t announced;
    size_t preamble;
    kl_snappy_error first =
        kl_snappy_uncompressed_len(block.data, block.len, &announced, &preamble);
    KL_FUZZ_CHECK(fault_at <= block.len && written <= room);
    KL_FUZZ_CHECK(kl_snappy_error_text(error)[0]);
    if (first != KL_SNAPPY_OK)
        KL_FUZZ_CHECK(error == first);
    else
        KL_FUZZ_CHECK((error == KL_SNAPPY_NO_ROOM) == (announced > room));
    if (error == KL_SNAPPY_TOO_SHORT)
        KL_FUZZ_CHECK(fault_at == block.len);
}

static void run_decompress(kl_drawn *d)
{
    size_t room = kl_drawn_u16(d);
    kloop_slice rest = kl_drawn_rest(d);
    kloop_slice block = {kl_fuzz_exact_copy(rest.data, rest.len), rest.len};
    uint8_t *out = kl_fuzz_exact_room(room);
    uint8_t *naive_out = kl_fuzz_exact_room(room);
    size_t made = SIZE_MAX;
    size_t naive_made;
    size_t fault_at = SIZE_MAX;
    kl_snappy_error error =
        kl_snappy_decompress_block(block.data, block.len, out, room, &made, &fault_at);
    bool good = kl_naive_snappy(block.data, block.len, naive_out, room, &naive_made);
    KL_FUZZ_CHECK((error == KL_SNAPPY_OK) == good);
    if (good) {
        KL_FUZZ_CHECK(made == naive_made && fault_at == SIZE_MAX);
        /* No block unfolds further than the header of snappy_raw.h says. */
        KL_FUZZ_CHECK(made <= 64 * block.len / 3 + 64);
    } else {
        check_fault(error, block, room, made, fault_at);
    }
    if (made > 0 && made <= naive_made)
        KL_FUZZ_CHECK(memcmp(out, naive_out, made) == 0);
    free(naive_out);
    free(out);
    free((void *)(uintptr_t)block.data);
}

static void run_compress(kl_drawn *d)
{
    static uint16_t table[KL_SNAPPY_TABLE_SIZE];
    size_t times = 1 + kl_drawn_u8(d);
    kloop_slice rest = kl_drawn_rest(d);
    if (times * rest.len > 100000)
        times = 1;
    size_t len = times * rest.len;
    uint8_t *content = kl_fuzz_exact_room(len);
    for (size_t i = 0; i < times && rest.len > 0; i++) {
        memcpy(content + i * rest.len, rest.data, rest.len);
        content[i * rest.len + i % rest.len] ^= (uint8_t)(i * 29);
    }
    size_t bound = kl_snappy_bound(len);
    uint8_t *packed = kl_fuzz_exact_room(bound);
    size_t packed_len = kl_snappy_compress_block(content, len, packed, table);
    KL_FUZZ_CHECK(packed_len > 0 && packed_len <= bound);

    /* What was in the table before does not matter. */
    uint8_t *again = kl_fuzz_exact_room(bound);
    memset(table, 0xff, sizeof table);
    KL_FUZZ_CHECK(kl_snappy_compress_block(content, len, again, table) == packed_len);
    KL_FUZZ_CHECK(memcmp(again, packed, packed_len) == 0);

    uint8_t *out = kl_fuzz_exact_room(len);
    size_t made;
    size_t fault_at;
    KL_FUZZ_CHECK(kl_snappy_decompress_block(packed, packed_len, out, len, &made, &fault_at) ==
                  KL_SNAPPY_OK);
    KL_FUZZ_CHECK(made == len && (len == 0 || memcmp(out, content, len) == 0));
    KL_FUZZ_CHECK(kl_naive_snappy(packed, packed_len, out, len, &made));
    KL_FUZZ_CHECK(made == len && (len == 0 || memcmp(out, content, len) == 0));
    free(out);
    free(again);
    free(packed);
    free(content);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    kl_drawn d = kl_drawn_from(data, size);
    if (kl_drawn_u8(&d) & 1)
        run_compress(&d);
    else
        run_decompress(&d);
    return 0;
}
