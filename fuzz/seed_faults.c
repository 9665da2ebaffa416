/* SPDX-License-Identifier: BSD-2-Clause */
/* The collection. See seed_faults.h. */
#include "fuzz/seed_faults.h"

#include <kloop/wire.h>

const kl_seed_message_fault kl_seed_message_faults[] = {
    /* Lengths that take more bytes than needed: allowed to readers, never written. */
    {KLOOP_API_VERSIONS, 3, 'q', "828000 61 8180808000 00"},
    {KLOOP_API_VERSIONS, 3, 'q', "8280808000 61 0100"},
    /* A fifth byte that carries on, bits beyond the 32nd, a length of 2^32 - 2 bytes. */
    {KLOOP_API_VERSIONS, 3, 'q', "8080808080 00"},
    {KLOOP_API_VERSIONS, 3, 'q', "ffffffff7f 61"},
    {KLOOP_API_VERSIONS, 3, 'q', "ffffffff0f 61"},
    /* Null where none is allowed; as a length of 0 and as -1. */
    {KLOOP_API_VERSIONS, 3, 'q', "000000"},
    {KLOOP_SASL_HANDSHAKE, 1, 'q', "ffff"},
    {KLOOP_METADATA, 0, 'q', "ffffffff"},
    /* Lengths and counts below -1. */
    {KLOOP_SASL_HANDSHAKE, 1, 'q', "fffe"},
    {KLOOP_SASL_HANDSHAKE, 1, 'q', "8000"},
    {KLOOP_SASL_AUTHENTICATE, 1, 'q', "fffffffe"},
    {KLOOP_METADATA, 4, 'q', "fffffffe01"},
    {KLOOP_PRODUCE, 7, 'q', "ffff 0001 00007530 80000000"},
    /* Strings of 32,767 bytes and one more, of which there is but one. */
    {KLOOP_SASL_HANDSHAKE, 1, 'q', "7fff61"},
    {KLOOP_API_VERSIONS, 3, 'q', "80800261"},
    {KLOOP_API_VERSIONS, 3, 'q', "81800261"},
    /* Counts that would allocate gigabytes (Redpanda's decoder stopped at 16 of them). */
    {KLOOP_METADATA, 1, 's', "7fffffff"},
    {KLOOP_METADATA, 1, 's', "00000000 00000001 7fffffff"},
    {KLOOP_METADATA, 9, 's', "00000000 ffffffff0f"},
    {KLOOP_METADATA, 9, 's', "00000000 8080808008"},
    {KLOOP_METADATA, 12, 's',
     "00000000 01 00 ffffffff 02 0000 02 61 00000000000000000000000000000000 00 02 0000 00000000 "
     "00000000 00000000 feffffff0f"},
    {KLOOP_API_VERSIONS, 0, 's', "0000 7fffffff"},
    {KLOOP_API_VERSIONS, 3, 's', "0000 ffffffff07"},
    {KLOOP_PRODUCE, 3, 's', "7fffffff 000161"},
    {KLOOP_FIND_COORDINATOR, 4, 'q', "00 ffffffff0f"},
    /* Record batches longer than the request. */
    {KLOOP_PRODUCE, 3, 'q', "ffff ffff 00007530 00000001 000161 00000001 00000000 7fffffff 00"},
    {KLOOP_PRODUCE, 9, 'q', "00 ffff 00007530 02 0261 02 00000000 ffffffff0f 00"},
    /* A batch that is null, and one that is empty. */
    {KLOOP_PRODUCE, 9, 'q', "00 ffff 00007530 02 0261 02 00000000 00 00 00 00"},
    {KLOOP_PRODUCE, 9, 'q', "00 ffff 00007530 02 0261 02 00000000 01 00 00 00"},
    /* Bools that are neither. */
    {KLOOP_METADATA, 4, 'q', "ffffffff 02"},
    {KLOOP_METADATA, 8, 'q', "00000000 01 ff 00"},
    /* Text that is not UTF-8: overlong, half a surrogate pair, cut short, above U+10FFFF. */
    {KLOOP_SASL_HANDSHAKE, 1, 'q', "0002c080"},
    {KLOOP_SASL_HANDSHAKE, 1, 'q', "0003eda080"},
    {KLOOP_SASL_HANDSHAKE, 1, 'q', "0002e282"},
    {KLOOP_SASL_HANDSHAKE, 1, 'q', "0004f4908080"},
    {KLOOP_SASL_HANDSHAKE, 1, 'q', "000100"},
    /* Tags: unknown ones, out of order, twice, count and size that lie, content shorter and longer
       than its size. */
    {KLOOP_API_VERSIONS, 3, 'q', "0261 0262 02 0501aa 0700"},
    {KLOOP_API_VERSIONS, 3, 'q', "0261 0262 02 0700 0501aa"},
    {KLOOP_API_VERSIONS, 3, 'q', "0261 0262 02 0500 0500"},
    {KLOOP_API_VERSIONS, 3, 'q', "0261 0262 ffffffff0f"},
    {KLOOP_API_VERSIONS, 3, 'q', "0261 0262 01 00 ffffffff0f"},
    {KLOOP_API_VERSIONS, 3, 'q', "0261 0262 01 ffffffff0f 00"},
    {KLOOP_API_VERSIONS, 3, 's', "0000 01 00000000 01 01 07 0000000000000001"},
    {KLOOP_API_VERSIONS, 3, 's', "0000 01 00000000 01 01 09 000000000000000100"},
    {KLOOP_API_VERSIONS, 3, 's', "0000 01 00000000 02 03 01 01 01 08 0000000000000001"},
    {KLOOP_API_VERSIONS, 3, 's',
     "0000 01 00000000 02 01 08 0000000000000001 01 08 0000000000000002"},
    /* Tagged fields at their default, which nobody writes. */
    {KLOOP_API_VERSIONS, 3, 's', "0000 01 00000000 03 00 01 01 01 08 ffffffffffffffff 03 01 00"},
    {KLOOP_PRODUCE, 10, 's',
     "02 0261 02 00000000 0000 0000000000000000 ffffffffffffffff 0000000000000000 01 00 01 00 09 "
     "ffffffff ffffffff 00 00 00000000 00"},
    {KLOOP_PRODUCE, 10, 's',
     "02 0261 02 00000000 0006 ffffffffffffffff ffffffffffffffff ffffffffffffffff 01 00 01 00 09 "
     "00000001 00000007 00 00 00000000 01 00 10 02 00000001 0268 00002384 00 00"},
    /* A broker that does not know the version answers in version 0, with error 35 (KIP-511). */
    {KLOOP_API_VERSIONS, 0, 's', "0023 00000001 0012 0000 0003"},
    {KLOOP_API_VERSIONS, 3, 's', "0023 00000001 0012 0000 0003"},
    /* Duplicates, negative ids, leaders that do not exist: odd, and fine. */
    {KLOOP_METADATA, 1, 's',
     "00000002 ffffffff 000161 00002384 ffff ffffffff 000161 ffffffff ffff ffffffff 00000001 0005 "
     "000161 00 00000001 0005 ffffffff ffffffff 00000000 00000000"},
    /* The header of an ApiVersions request: client id plain even where all else is compact. */
    {KLOOP_REQUEST_HEADER, 2, 'q', "0012 0003 00000001 0001 61 00"},
    {KLOOP_REQUEST_HEADER, 2, 'q', "0012 0003 00000001 ffff 01 00 00"},
    {KLOOP_REQUEST_HEADER, 1, 'q', "0012 0003 00000001 7fff"},
    {KLOOP_RESPONSE_HEADER, 1, 's', "ffffffff 01 00 01 aa"},
    /* Numbers at their borders. */
    {KLOOP_INIT_PRODUCER_ID, 4, 's', "00000000 0000 7fffffffffffffff 7ffe 00"},
    {KLOOP_INIT_PRODUCER_ID, 4, 'q', "00 80000000 ffffffffffffffff ffff 00"},
    {0, 0, 0, NULL},
};

const kl_seed_bytes kl_seed_input_faults[] = {
    /* frame: largest frame, no refusal, two cuts; then lengths that are negative, huge, too large
       by one, 0. */
    {"frame", "ffff00020903 ffffffff"},
    {"frame", "ffff00020903 7fffffff00000000"},
    {"frame", "0004000207050000000461626364 00000005 6162636465"},
    {"frame", "00100002010100000000 00000000 00000001 61"},
    {"frame", "0010010000000010 61616161616161616161616161616161 00000002 6262"},
    /* Small frames without end. */
    {"frame",
     "0100 80 05 0907210300 00000003 616263 00000000 00000010 30313233343536373839414243444546"},
    {"frame", "0100 82 00 00000003 616263"},
    /* "HTTP" and a TLS alert are lengths too. */
    {"frame", "ffff000048545450 2f312e31"},
    {"frame", "ffff000015030300 020228"},
    /* varints: none, too long, bits beyond, the longest good ones, longer than needed */
    {"primitives", "00"},
    {"primitives", "00 80"},
    {"primitives", "00 ffffffffff"},
    {"primitives", "00 ffffffff0f"},
    {"primitives", "00 ffffffff1f"},
    {"primitives", "00 8080808000"},
    {"primitives", "00 ffffffffffffffffff01"},
    {"primitives", "00 ffffffffffffffffff02"},
    {"primitives", "00 ffffffffffffffffffff"},
    {"primitives", "00 80808080808080808000"},
    /* lengths, plain and compact, null allowed or not, with and without the inline paths */
    {"primitives", "01 0001 61"},
    {"primitives", "09 02 61"},
    {"primitives", "11 ffff"},
    {"primitives", "19 00"},
    {"primitives", "21 00000002 0000000100000002"},
    {"primitives", "29 03 0000000100000002"},
    {"primitives", "39 ffffffff0f"},
    {"primitives", "31 7fffffff"},
    {"primitives", "01 7f01"},
    {"primitives", "01 7f02"},
    {"primitives", "09 7f01"},
    {"primitives", "09 7f02"},
    /* UTF-8 */
    {"primitives", "02 6162636465666768c3a9e282acf09f9880"},
    {"primitives", "02 616263646566676869c080"},
    {"primitives", "02 eda080"},
    {"primitives", "02 f4908080"},
    {"primitives", "02 f0808080"},
    {"primitives", "02 e28261"},
    /* base64: whole, padded once and twice, no padding, loose bits, padding inside, white space */
    {"primitives", "03 41414141"},
    {"primitives", "03 4141413d"},
    {"primitives", "03 51513d3d"},
    {"primitives", "03 5151"},
    {"primitives", "03 51523d3d"},
    {"primitives", "03 513d3d51"},
    {"primitives", "03 5151203d"},
    {"primitives", "03 3d3d3d3d"},
    {"primitives", "03 2b2f2b2f"},
    {"primitives", "04 00ff10"},
    {"primitives", "05 41414141414141414141414141414141414141414141"},
    {"primitives", "05 41414141414141414141414141414141414141412d5f"},
    {"primitives", "05 4141414141414141414141414141414141414141413d"},
    {"primitives", "06 3031616246"},
    {"primitives", "06 303161624647"},
    {"primitives", "07 313233343536373839"},
    {"primitives",
     "4f 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021222324252627"},
    /* snappy: nothing, an announced 4 GiB (CVE-2023-34455 trusted a length), offset 0, from before
       the start, past the end */
    {"snappy_raw", "00 0010"},
    {"snappy_raw", "00 0010 00"},
    {"snappy_raw", "00 ffff ffffffff0f"},
    {"snappy_raw", "00 ffff ffffffff1f"},
    {"snappy_raw", "00 0010 05 0061 0500"},
    {"snappy_raw", "00 0010 05 0061 0502"},
    {"snappy_raw", "00 0010 05 0061 0101"},
    {"snappy_raw", "00 0010 05 0061 0901"},
    {"snappy_raw", "00 0040 28 0c61626364 960400"},
    {"snappy_raw", "00 0010 01 fcffffffff61"},
    {"snappy_raw", "01 07 6162636461626364"},
    {NULL, NULL},
};

const char *const kl_seed_json_texts[] = {
    "",
    "null",
    "true",
    " [false , -0, 9223372036854775807, -9223372036854775808, 9223372036854775808, 1.5e+3]\n",
    "{\"a\":{\"a\":[1,2,{}]},\"b\":\"\\u00e9\\ud83d\\ude00\\n\\/\\\"\\\\ \xc3\xa9\"}",
    "\"abcdefghijklmnopqrstuvw\\txyz\"",
    "\"\\u0000\"",
    /* Keys that come twice: plain, escaped, among so many that they are sorted. */
    "{\"a\":1,\"a\":2}",
    "{\"a\":1,\"\\u0061\":2}",
    ("{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,\"h\":8,\"i\":9,\"j\":10,\"k\":11,"
     "\"l\":12,\"m\":13,"
     "\"n\":14,\"o\":15,\"p\":16,\"q\":17,\"r\":18}"),
    ("{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,\"h\":8,\"i\":9,\"j\":10,\"k\":11,"
     "\"l\":12,\"m\":13,"
     "\"n\":14,\"o\":15,\"p\":16,\"q\":17,\"a\":18}"),
    /* Strings that are none. */
    "\"\\ud83d\"",
    "\"\\udc00\"",
    "\"\\ud83d\\u0041\"",
    "\"\x1f\"",
    "\"\xed\xa0\x80\"",
    "\"\xc0\xaf\"",
    "\"\\x41\"",
    /* Numbers that are none. */
    "01",
    "-",
    "1.",
    ".5",
    "1e",
    "+1",
    /* Structure that is none. */
    "[1,]",
    "{\"a\"}",
    "{,}",
    "[1 2]",
    "1 2",
    "nul",
    "\xef\xbb\xbf{}",
    /* Nesting: 64 is allowed. */
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"
    "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"
    "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
    NULL,
};
