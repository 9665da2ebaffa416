/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The JSON reader: one loop over the text, without recursion. Between two values it is in one of
 * two places: where a value must come, or behind a value, where a comma or a closing bracket must
 * come. The open containers are kept in a small fixed stack of node numbers (numbers, because the
 * row of nodes moves when it grows).
 */
#include "wiretools/json_read.h"

#include "wiretools/json_keys.h"
#include "wiretools/json_string.h"

#include <string.h>

/* A row of nodes larger than this is given back before the next text: one huge line must not hold
 * memory for ever. */
#define KEPT_BYTES ((size_t)1 << 20)

#define TAKEN      UINT64_C(0x80)

typedef struct reader {
    const uint8_t *text;
    size_t len;
    size_t pos;
    kl_json_doc *doc;
    size_t depth;
    size_t open[KL_JSON_DEPTH_MAX]; /* the containers around pos, outermost first */
} reader;

static const char too_early[] = KL_JSON_TOO_EARLY;
static const char no_memory[] = "no memory";

void kl_json_doc_init(kl_json_doc *doc, const kloop_allocator *alloc)
{
    kl_buf_init(&doc->nodes, alloc);
    kl_buf_init(&doc->scratch, alloc);
    kl_arena_init(&doc->strings, alloc);
    doc->error = (kl_json_error){0};
}

void kl_json_doc_deinit(kl_json_doc *doc)
{
    kl_buf_deinit(&doc->nodes);
    kl_buf_deinit(&doc->scratch);
    kl_arena_deinit(&doc->strings);
}

static bool fail(reader *r, const char *reason, size_t offset)
{
    r->doc->error = (kl_json_error){.reason = reason, .offset = offset};
    return false;
}

static bool fail_memory(reader *r, size_t offset)
{
    r->doc->error = (kl_json_error){.reason = no_memory, .offset = offset, .no_memory = true};
    return false;
}

/* ---- Nodes ---- */

static kl_json *node_at(const reader *r, size_t index)
{
    return (kl_json *)(void *)r->doc->nodes.data + index;
}

static size_t node_count(const reader *r)
{
    return r->doc->nodes.len / sizeof(kl_json);
}

/* A new node at the end of the row, without its value. NULL: no memory, and the error is set. */
static kl_json *node_add(reader *r, kl_json_type type, size_t offset)
{
    kl_buf *b = &r->doc->nodes;
    if (b->cap - b->len < sizeof(kl_json) && !kl_buf_reserve(b, sizeof(kl_json), NULL)) {
        fail_memory(r, offset);
        return NULL;
    }
    kl_json *v = (kl_json *)(void *)(b->data + b->len);
    b->len += sizeof(kl_json);
    v->head = (uint64_t)offset << 8 | (uint64_t)type;
    v->count = 0;
    v->as.integer = 0;
    return v;
}

/* ---- Strings ---- */

/* pos is at the opening quote. */
static bool read_string(reader *r)
{
    size_t start = r->pos + 1;
    size_t close, decoded;
    if (!kl_json_string_scan(r->text, r->len, start, &close, &decoded, &r->doc->error))
        return false;
    const char *text = (const char *)r->text + start;
    if (decoded != close - start) { /* every escape is longer than what it stands for */
        char *copy = kl_arena_alloc_bytes(&r->doc->strings, decoded);
        if (!copy)
            return fail_memory(r, r->pos);
        kl_json_string_unescape(r->text, start, close, (uint8_t *)copy);
        text = copy;
    }
    kl_json *v = node_add(r, KL_JSON_STRING, r->pos);
    if (!v)
        return false;
    v->as.text = text;
    v->count = decoded;
    r->pos = close + 1;
    return true;
}

/* ---- Numbers and words ---- */

static bool digit_at(const reader *r, size_t pos)
{
    return pos < r->len && r->text[pos] >= '0' && r->text[pos] <= '9';
}

/* One digit or more at pos; answers where they end, 0 with the error set when there is none. */
static size_t skip_digits(reader *r, size_t pos)
{
    if (!digit_at(r, pos)) {
        if (pos >= r->len)
            fail(r, too_early, r->len);
        else
            fail(r, "a digit is missing in a number", pos);
        return 0;
    }
    while (digit_at(r, pos))
        pos++;
    return pos;
}

/* Fraction and exponent, if any. Answers where the number ends, 0 on error. */
static size_t skip_real(reader *r, size_t pos)
{
    if (pos < r->len && r->text[pos] == '.') {
        pos = skip_digits(r, pos + 1);
        if (pos == 0)
            return 0;
    }
    if (pos < r->len && (r->text[pos] == 'e' || r->text[pos] == 'E')) {
        pos++;
        if (pos < r->len && (r->text[pos] == '+' || r->text[pos] == '-'))
            pos++;
        pos = skip_digits(r, pos);
    }
    return pos;
}

/* Digits to a number; false when it is out of range. */
static bool to_int64(const uint8_t *p, const uint8_t *end, bool negative, int64_t *value)
{
    const uint64_t limit = (uint64_t)INT64_MAX + (negative ? 1 : 0);
    uint64_t n = 0;
    for (; p < end; p++) {
        uint64_t digit = (uint64_t)(*p - '0');
        if (n > (limit - digit) / 10)
            return false;
        n = n * 10 + digit;
    }
    *value = !negative ? (int64_t)n : n == 0 ? 0 : -(int64_t)(n - 1) - 1;
    return true;
}

static bool read_number(reader *r)
{
    bool negative = r->text[r->pos] == '-';
    size_t start = r->pos + (negative ? 1 : 0);
    size_t whole = skip_digits(r, start);
    if (whole == 0)
        return false;
    if (r->text[start] == '0' && whole > start + 1)
        return fail(r, "a number with a leading zero", r->pos);
    size_t end = skip_real(r, whole);
    if (end == 0)
        return false;
    int64_t value = 0;
    kl_json_type type = KL_JSON_REAL;
    if (end == whole) {
        bool fits = to_int64(r->text + start, r->text + whole, negative, &value);
        type = fits ? KL_JSON_INTEGER : KL_JSON_HUGE;
    }
    kl_json *v = node_add(r, type, r->pos);
    if (!v)
        return false;
    v->as.integer = value;
    r->pos = end;
    return true;
}

static const char not_a_value[] = "not a JSON value";

/* null, true or false. */
static bool read_word(reader *r, const char *word, kl_json_type type, bool boolean)
{
    size_t n = strlen(word);
    size_t there = r->len - r->pos < n ? r->len - r->pos : n;
    if (memcmp(r->text + r->pos, word, there) != 0)
        return fail(r, not_a_value, r->pos);
    if (there < n)
        return fail(r, too_early, r->len);
    kl_json *v = node_add(r, type, r->pos);
    if (!v)
        return false;
    if (type == KL_JSON_BOOL)
        v->as.boolean = boolean;
    r->pos += n;
    return true;
}

/* ---- Structure ---- */

static void skip_space(reader *r)
{
    while (r->pos < r->len) {
        uint8_t c = r->text[r->pos];
        if (c != ' ' && c != '\n' && c != '\r' && c != '\t')
            return;
        r->pos++;
    }
}

static bool in_object(const reader *r)
{
    return kl_json_type_of(node_at(r, r->open[r->depth - 1])) == KL_JSON_OBJECT;
}

/* A key and its colon; a value must follow. */
static bool read_key(reader *r)
{
    skip_space(r);
    if (r->pos >= r->len)
        return fail(r, too_early, r->len);
    if (r->text[r->pos] != '"')
        return fail(r, "no key where one must be", r->pos);
    if (!read_string(r))
        return false;
    skip_space(r);
    if (r->pos >= r->len)
        return fail(r, too_early, r->len);
    if (r->text[r->pos] != ':')
        return fail(r, "no ':' behind a key", r->pos);
    r->pos++;
    return true;
}

static bool open_container(reader *r, kl_json_type type)
{
    if (r->depth == KL_JSON_DEPTH_MAX)
        return fail(r, "nesting deeper than 64", r->pos);
    r->open[r->depth] = node_count(r);
    if (!node_add(r, type, r->pos))
        return false;
    r->depth++;
    r->pos++;
    return true;
}

/* At the closing bracket of the innermost container, whose content is complete. */
static bool close_container(reader *r)
{
    kl_json *v = node_at(r, r->open[r->depth - 1]);
    v->as.span = node_count(r) - r->open[r->depth - 1];
    if (kl_json_type_of(v) == KL_JSON_OBJECT) {
        const kl_json *twice;
        if (!kl_json_keys_check(v, &r->doc->scratch, &twice))
            return fail_memory(r, kl_json_offset(v));
        if (twice)
            return fail(r, "a key that is there already", kl_json_offset(twice));
    }
    r->depth--;
    r->pos++;
    return true;
}

/* A word, number or string at pos. */
static bool read_scalar(reader *r, uint8_t c)
{
    switch (c) {
    case '"':
        return read_string(r);
    case 'n':
        return read_word(r, "null", KL_JSON_NULL, false);
    case 't':
        return read_word(r, "true", KL_JSON_BOOL, true);
    case 'f':
        return read_word(r, "false", KL_JSON_BOOL, false);
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
        return read_number(r);
    default:
        return fail(r, not_a_value, r->pos);
    }
}

/* Reads on until one value is complete: a scalar or an empty container. On the way, containers are
 * opened. */
static bool read_to_value(reader *r)
{
    for (;;) {
        skip_space(r);
        if (r->pos >= r->len)
            return fail(r, too_early, r->len);
        uint8_t c = r->text[r->pos];
        if (c != '[' && c != '{')
            return read_scalar(r, c);
        if (!open_container(r, c == '{' ? KL_JSON_OBJECT : KL_JSON_ARRAY))
            return false;
        skip_space(r);
        if (r->pos >= r->len)
            return fail(r, too_early, r->len);
        if (r->text[r->pos] == (c == '{' ? '}' : ']'))
            return close_container(r);
        if (c == '{' && !read_key(r))
            return false;
    }
}

/* Behind a value: closes what ends here. more tells whether another value must follow. */
static bool read_behind_value(reader *r, bool *more)
{
    while (r->depth > 0) {
        node_at(r, r->open[r->depth - 1])->count++;
        bool object = in_object(r);
        skip_space(r);
        if (r->pos >= r->len)
            return fail(r, too_early, r->len);
        uint8_t c = r->text[r->pos];
        if (c == ',') {
            r->pos++;
            *more = true;
            return !object || read_key(r);
        }
        if (c != (object ? '}' : ']'))
            return fail(r, object ? "no ',' or '}' behind a value" : "no ',' or ']' behind a value",
                        r->pos);
        if (!close_container(r))
            return false;
    }
    *more = false;
    return true;
}

static bool read_text(reader *r)
{
    skip_space(r);
    if (r->pos >= r->len)
        return fail(r, "no JSON text", r->len);
    bool more = true;
    while (more)
        if (!read_to_value(r) || !read_behind_value(r, &more))
            return false;
    skip_space(r);
    if (r->pos < r->len)
        return fail(r, "text behind the JSON value", r->pos);
    return true;
}

static void empty(kl_buf *b)
{
    if (b->cap > KEPT_BYTES)
        kl_buf_deinit(b);
    kl_buf_reset(b);
}

kl_json *kl_json_read(kl_json_doc *doc, const char *text, size_t len)
{
    empty(&doc->nodes);
    empty(&doc->scratch);
    kl_arena_reset(&doc->strings);
    doc->error = (kl_json_error){0};
    reader r = {.text = (const uint8_t *)text, .len = len, .doc = doc};
    return read_text(&r) ? node_at(&r, 0) : NULL;
}

/* ---- Looking things up ---- */

static bool key_is(const kl_json *key, const char *name, size_t name_len)
{
    return key->count == name_len && memcmp(key->as.text, name, name_len) == 0;
}

kl_json *kl_json_take(kl_json *object, const char *name, kl_json **hint)
{
    KL_ASSERT(kl_json_type_of(object) == KL_JSON_OBJECT);
    const kl_json *end = kl_json_next(object);
    size_t name_len = strlen(name);
    kl_json *key = *hint ? *hint : object + 1;
    for (size_t i = 0; i < object->count; i++) {
        if (key == end)
            key = object + 1;
        kl_json *value = key + 1;
        kl_json *next = kl_json_next(value);
        if (key_is(key, name, name_len)) {
            key->head |= TAKEN;
            *hint = next;
            return value;
        }
        key = next;
    }
    return NULL;
}

kl_json *kl_json_first_untaken(kl_json *object)
{
    KL_ASSERT(kl_json_type_of(object) == KL_JSON_OBJECT);
    kl_json *key = object + 1;
    for (size_t i = 0; i < object->count; i++, key = kl_json_next(key + 1))
        if ((key->head & TAKEN) == 0)
            return key;
    return NULL;
}

const char *kl_json_type_name(kl_json_type type)
{
    switch (type) {
    case KL_JSON_NULL:
        return "null";
    case KL_JSON_BOOL:
        return "a bool";
    case KL_JSON_INTEGER:
        return "an integer";
    case KL_JSON_HUGE:
        return "a number out of range";
    case KL_JSON_REAL:
        return "a fractional number";
    case KL_JSON_STRING:
        return "a string";
    case KL_JSON_ARRAY:
        return "an array";
    case KL_JSON_OBJECT:
        return "an object";
    }
    KL_UNREACHABLE();
}
