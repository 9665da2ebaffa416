/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers are read as Java reads them: an optional sign, then digits of ASCII, nothing else. */
#include "core/config_value.h"
#include "base/ascii.h"
#include "base/check.h"
#include "base/excerpt.h"
#include "base/nearest.h"
#include "base/utf8.h"
#include "core/api_caps.h"
#include "core/bootstrap.h"
#include "core/error.h"

#include <stdio.h>
#include <string.h>

#define TEXT_MAX   32767 /* a string of the protocol whose length has 16 bits */
#define SECRET_MAX (1 << 20)

#define DECIMALS   6 /* of a FRACTION */

/* Who is talking: "linger.ms", "topic.events.linger.ms", or "queue.buffering.max.ms (linger.ms)"
 * for another name of it. */
typedef struct speaker {
    kl_config_named named;
    char name[360];
} speaker;

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text);
    size_t tail = strlen(end);
    return len >= tail && strcmp(text + len - tail, end) == 0;
}

static speaker speaker_of(kl_config_named named, const char *name)
{
    speaker s = {.named = named};
    if (ends_with(name, named.key->shown.name))
        snprintf(s.name, sizeof s.name, "%s", name);
    else
        snprintf(s.name, sizeof s.name, "%s (%s)", name, named.key->shown.name);
    return s;
}

kloop_string kl_config_trim(kloop_string text)
{
    while (text.len > 0 && (unsigned char)text.data[0] <= ' ') {
        text.data++;
        text.len--;
    }
    while (text.len > 0 && (unsigned char)text.data[text.len - 1] <= ' ')
        text.len--;
    return text;
}

bool kl_config_take_entry(kloop_string *rest, kloop_string *entry)
{
    const char *comma = rest->len > 0 ? memchr(rest->data, ',', rest->len) : NULL;
    size_t len = comma ? (size_t)(comma - rest->data) : rest->len;
    *entry = kl_config_trim((kloop_string){rest->data, len});
    rest->data += len + (comma != NULL);
    rest->len -= len + (comma != NULL);
    return comma != NULL;
}

/* The next of "a, b, c; and some words"; false at the end. */
static bool next_choice(const char **rest, kloop_string *choice)
{
    if (**rest == '\0' || **rest == ';')
        return false;
    size_t len = 0;
    while ((*rest)[len] != '\0' && (*rest)[len] != ',' && (*rest)[len] != ';')
        len++;
    *choice = (kloop_string){*rest, len};
    *rest += len;
    while (**rest == ',' || **rest == ' ')
        (*rest)++;
    return true;
}

static bool is_choice(kloop_string text, kloop_string choice, bool any_case)
{
    if (text.len != choice.len)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] != choice.data[i] &&
            !(any_case && kl_ascii_lower(text.data[i]) == kl_ascii_lower(choice.data[i])))
            return false;
    return true;
}

static kloop_status parse_choice(const speaker *s, kloop_string text, bool any_case,
                                 int64_t *number, kloop_error *error)
{
    char shown[KL_EXCERPT_SIZE];
    const char *rest = s->named.key->shown.allowed;
    kloop_string choice;
    for (int64_t i = 0; next_choice(&rest, &choice); i++)
        if (is_choice(text, choice, any_case)) {
            *number = i;
            return KLOOP_OK;
        }
    return kl_error_set(error, KLOOP_BAD_CONFIG, "%s: '%s' is not among what is allowed: %s",
                        s->name, kl_excerpt(shown, sizeof shown, text),
                        s->named.key->shown.allowed);
}

static bool take_prefix(kloop_string *text, const char *prefix)
{
    size_t len = strlen(prefix);
    if (text->len < len || memcmp(text->data, prefix, len) != 0)
        return false;
    text->data += len;
    text->len -= len;
    return true;
}

/* Kafka's own classes, and what they do. */
static const struct class_name {
    const char *name;
    const char *is;
} classes[] = {
    {"", "sticky"}, /* what Java calls null */
    {"DefaultPartitioner", "sticky"},
    {"BuiltInPartitioner", "sticky"},
    {"UniformStickyPartitioner", "uniform_sticky"},
    {"RoundRobinPartitioner", "round_robin"},
};

#define CLASS_COUNT (sizeof classes / sizeof classes[0])

static kloop_string without_package(kloop_string name)
{
    if (take_prefix(&name, "org.apache.kafka.clients.producer."))
        take_prefix(&name, "internals.");
    return name;
}

static kloop_string short_of(kloop_string name)
{
    for (size_t i = 0; i < CLASS_COUNT; i++)
        if (name.len == strlen(classes[i].name) &&
            memcmp(name.data, classes[i].name, name.len) == 0)
            return (kloop_string){classes[i].is, strlen(classes[i].is)};
    return name;
}

#define WORD_SIZE 32

/* "; did you mean 'X'?", or the end of the sentence. */
static void print_nearest(const kl_config_key *key, kloop_string name, char *text, size_t size)
{
    char words[2][WORD_SIZE]; /* the nearest one so far, and the next */
    const char *best = NULL;
    const char *rest = key->shown.allowed;
    kloop_string choice;
    while (next_choice(&rest, &choice)) {
        char *word = best == words[0] ? words[1] : words[0];
        snprintf(word, WORD_SIZE, "%.*s", (int)choice.len, choice.data);
        best = kl_nearest_of(best, word, name);
    }
    for (size_t i = 1; i < CLASS_COUNT; i++)
        best = kl_nearest_of(best, classes[i].name, name);
    snprintf(text, size, "%s%s%s", best ? "; did you mean '" : "", best ? best : "",
             best ? "'?" : ".");
}

static kloop_status parse_partitioner(const speaker *s, kloop_string text, int64_t *number,
                                      kloop_error *error)
{
    kloop_string name = without_package(text);
    if (parse_choice(s, short_of(name), false, number, NULL) == KLOOP_OK)
        return KLOOP_OK;
    char shown[KL_EXCERPT_SIZE];
    char near[WORD_SIZE + 20];
    print_nearest(s->named.key, name, near, sizeof near);
    return kl_error_set(error, KLOOP_BAD_CONFIG,
                        "%s: '%s' is no partitioner%s Allowed: %s, or a class of Kafka's; a "
                        "function of your own is set by kloop_topic_set_partitioner()",
                        s->name, kl_excerpt(shown, sizeof shown, text), near,
                        s->named.key->shown.allowed);
}

/* Of several choices four bits each, the first one lowest: the place and 1. */
#define CHOICE_BITS 4

int kl_config_choices_at(int64_t number, unsigned n)
{
    return (int)((uint64_t)number >> (n * CHOICE_BITS) & ((1u << CHOICE_BITS) - 1)) - 1;
}

/* Of codecs the first that is allowed is what there always is, and nothing is tried after it. */
static kloop_status parse_choices(const speaker *s, kloop_string text, int64_t *number,
                                  kloop_error *error)
{
    char shown[KL_EXCERPT_SIZE];
    int64_t all = 0;
    bool more = true;
    for (unsigned n = 0; more; n++) {
        kloop_string part;
        more = kl_config_take_entry(&text, &part);
        int64_t place;
        kloop_status status = parse_choice(s, part, false, &place, error);
        if (status)
            return status;
        for (unsigned i = 0; i < n; i++) {
            if (kl_config_choices_at(all, i) == place)
                return kl_error_set(error, KLOOP_BAD_CONFIG, "%s: '%s' is named twice", s->name,
                                    kl_excerpt(shown, sizeof shown, part));
            if (s->named.id == KL_CONFIG_CODEC && kl_config_choices_at(all, i) == 0)
                return kl_error_set(error, KLOOP_BAD_CONFIG,
                                    "%s: '%s' would never be used, for it stands behind none; "
                                    "leave it out or move it to the front",
                                    s->name, kl_excerpt(shown, sizeof shown, part));
        }
        all |= (place + 1) << (n * CHOICE_BITS);
    }
    *number = all;
    return KLOOP_OK;
}

/* As a number below zero, which there is one more of than above. */
static bool parse_digits(const char *digits, size_t len, int64_t *below_zero)
{
    int64_t v = 0;
    for (size_t i = 0; i < len; i++) {
        int digit = digits[i] - '0';
        if (v < (INT64_MIN + digit) / 10)
            return false;
        v = v * 10 - digit;
    }
    *below_zero = v;
    return true;
}

typedef enum reading { READ, NO_NUMBER, TOO_FAR } reading;

static reading read_number(kloop_string text, int64_t *number)
{
    bool minus = text.len > 0 && text.data[0] == '-';
    size_t sign = text.len > 0 && (minus || text.data[0] == '+');
    if (text.len == sign)
        return NO_NUMBER;
    for (size_t i = sign; i < text.len; i++)
        if (!kl_ascii_is_digit(text.data[i]))
            return NO_NUMBER;
    int64_t v;
    if (!parse_digits(text.data + sign, text.len - sign, &v) || (!minus && v == INT64_MIN))
        return TOO_FAR;
    *number = minus ? v : -v;
    return READ;
}

static reading read_fraction(kloop_string text, int64_t *millionths)
{
    int64_t v = 0;
    int decimals = -1; /* no point yet */
    bool digits = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c == '.' && decimals < 0) {
            decimals = 0;
            continue;
        }
        if (!kl_ascii_is_digit(c) || (decimals == DECIMALS && c != '0'))
            return NO_NUMBER;
        digits = true;
        if (v > INT32_MAX)
            return TOO_FAR;
        if (decimals == DECIMALS)
            continue;
        v = v * 10 + (c - '0');
        decimals += decimals >= 0;
    }
    for (int i = decimals < 0 ? 0 : decimals; i < DECIMALS; i++)
        v *= 10;
    *millionths = v;
    return digits ? READ : NO_NUMBER;
}

static reading read_value(const kl_config_key *key, kloop_string text, int64_t *number)
{
    return key->kind == KL_CONFIG_KIND_FRACTION ? read_fraction(text, number)
                                                : read_number(text, number);
}

static kloop_status refuse_number(const speaker *s, kloop_string text, const char *is,
                                  const char *allowed, kloop_error *error)
{
    char shown[KL_EXCERPT_SIZE];
    return kl_error_set(error, KLOOP_BAD_CONFIG, "%s: '%s' is %s; allowed: %s", s->name,
                        kl_excerpt(shown, sizeof shown, text), is, allowed);
}

void kl_config_range(const kl_config_key *key, int64_t *lo, int64_t *hi)
{
    const char *to = strchr(key->shown.allowed, ' ');
    KL_ASSERT(to);
    kloop_string first = {key->shown.allowed, (size_t)(to - key->shown.allowed)};
    kloop_string last = {to + 4, strlen(to + 4)};
    reading found = read_value(key, first, lo);
    KL_ASSERT(found == READ);
    found = read_value(key, last, hi);
    KL_ASSERT(found == READ);
}

static kloop_status parse_number(const speaker *s, kloop_string text, int64_t *number,
                                 kloop_error *error)
{
    const kl_config_key *key = s->named.key;
    int64_t unit = s->named.unit;
    int64_t lo, hi;
    kl_config_range(key, &lo, &hi);
    /* The edges in the unit of the name, which lo is a multiple of. */
    lo /= unit;
    hi /= unit;
    char own_units[64];
    const char *allowed = key->shown.allowed;
    if (unit != 1) {
        snprintf(own_units, sizeof own_units, "%lld to %lld", (long long)lo, (long long)hi);
        allowed = own_units;
    }
    int64_t v;
    reading r = read_value(key, text, &v);
    if (r == NO_NUMBER)
        return refuse_number(s, text,
                             key->kind == KL_CONFIG_KIND_FRACTION
                                 ? "no number of at most six decimals"
                                 : "no whole number",
                             allowed, error);
    if (r == TOO_FAR || v < lo || v > hi)
        return refuse_number(s, text, "out of range", allowed, error);
    *number = v * unit;
    return KLOOP_OK;
}

static const kl_codec *codec_of(kl_config_id level)
{
    return kl_codec_by_id(level == KL_CONFIG_GZIP_LEVEL  ? KL_CODEC_GZIP
                          : level == KL_CONFIG_LZ4_LEVEL ? KL_CODEC_LZ4
                                                         : KL_CODEC_ZSTD);
}

static kloop_status parse_level(const speaker *s, kloop_string text, int64_t *number,
                                kloop_error *error)
{
    const kl_config_key *key = s->named.key;
    int64_t v;
    reading r = read_number(text, &v);
    if (r == NO_NUMBER)
        return refuse_number(s, text, "no whole number", key->shown.allowed, error);
    /* What stands for "not set" inside must not come from outside. */
    if (r == TOO_FAR || v <= INT32_MIN || v > INT32_MAX ||
        !kl_codec_has_level(codec_of(s->named.id), (int32_t)v))
        return refuse_number(s, text, "no level", key->shown.allowed, error);
    *number = v;
    return KLOOP_OK;
}

static kloop_status check_text(const speaker *s, kloop_string text, kloop_error *error)
{
    char shown[KL_EXCERPT_SIZE];
    kl_config_kind kind = s->named.key->kind;
    bool large = kind == KL_CONFIG_KIND_PEM || kind >= KL_CONFIG_KIND_SECRET;
    if (text.len > (large ? SECRET_MAX : TEXT_MAX))
        return kl_error_set(error, KLOOP_BAD_CONFIG, "%s: %zu bytes are too many; allowed: %s",
                            s->name, text.len, s->named.key->shown.allowed);
    /* Of what may be a secret nothing is quoted. */
    if (large)
        return KLOOP_OK;
    if (kl_utf8_valid_len(text.data, text.len) < text.len)
        return kl_error_set(error, KLOOP_BAD_CONFIG, "%s: '%s' is not UTF-8", s->name,
                            kl_excerpt(shown, sizeof shown, text));
    return KLOOP_OK;
}

/* As for Java, which is strict with some keys and not with others. */
static bool in_any_case(kl_config_id id)
{
    return id == KL_CONFIG_CA_TYPE || id == KL_CONFIG_HOST_CHECK || id == KL_CONFIG_KEYSTORE_TYPE ||
           id == KL_CONFIG_RECOVERY || id == KL_CONFIG_SECURITY;
}

kloop_status kl_config_value_parse(kl_config_named named, const char *name, kloop_string text,
                                   int64_t *number, kloop_error *error)
{
    speaker s = speaker_of(named, name);
    switch (named.key->kind) {
    case KL_CONFIG_KIND_BOOL: {
        kloop_status status = parse_choice(&s, text, true, number, error);
        if (!status)
            *number = *number == 0; /* true comes first in the list */
        return status;
    }
    case KL_CONFIG_KIND_CHOICE:
        if (named.id == KL_CONFIG_HOST_CHECK && text.len == 0)
            text = (kloop_string){"none", 4};
        return parse_choice(&s, text, in_any_case(named.id), number, error);
    case KL_CONFIG_KIND_CHOICES:
        return parse_choices(&s, text, number, error);
    case KL_CONFIG_KIND_LEVEL:
        return parse_level(&s, text, number, error);
    case KL_CONFIG_KIND_FRACTION:
    case KL_CONFIG_KIND_NUMBER:
        return parse_number(&s, text, number, error);
    case KL_CONFIG_KIND_PARTITIONER:
        return parse_partitioner(&s, text, number, error);
    case KL_CONFIG_KIND_SERVERS:
        return kl_servers_check(text, s.name, error);
    case KL_CONFIG_KIND_TEXT:
        if (named.id == KL_CONFIG_TOKEN_URL && text.len > 0 && !take_prefix(&text, "file:/"))
            return kl_config_key_refuse(name, NULL, error);
        return check_text(&s, text, error);
    case KL_CONFIG_KIND_PEM:
    case KL_CONFIG_KIND_SECRET:
    case KL_CONFIG_KIND_SECRET_PEM:
        return check_text(&s, text, error);
    case KL_CONFIG_KIND_VERSIONS:
        return kl_api_caps_check(text, s.name, error);
    }
    KL_UNREACHABLE();
}

static kloop_string choice_at(const kl_config_key *key, int64_t place)
{
    const char *rest = key->shown.allowed;
    kloop_string choice = {"", 0};
    for (int64_t skip = place; skip >= 0; skip--) {
        bool found = next_choice(&rest, &choice);
        KL_ASSERT(found);
    }
    return choice;
}

void kl_config_value_print(const kl_config_key *key, int64_t number, char *text, size_t size)
{
    kloop_string choice;
    switch (key->kind) {
    case KL_CONFIG_KIND_BOOL:
        choice = choice_at(key, number == 0);
        break;
    case KL_CONFIG_KIND_CHOICE:
    case KL_CONFIG_KIND_PARTITIONER:
        choice = choice_at(key, number);
        break;
    case KL_CONFIG_KIND_CHOICES:
        for (unsigned n = 0; kl_config_choices_at(number, n) >= 0; n++) {
            choice = choice_at(key, kl_config_choices_at(number, n));
            int len = snprintf(text, size, "%s%.*s", n ? "," : "", (int)choice.len, choice.data);
            text += len;
            size -= (size_t)len;
        }
        return;
    case KL_CONFIG_KIND_FRACTION: {
        int len = snprintf(text, size, "%d.%06d", (int)(number / 1000000), (int)(number % 1000000));
        while (text[len - 1] == '0')
            len--;
        text[len - (text[len - 1] == '.')] = '\0';
        return;
    }
    default:
        snprintf(text, size, "%lld", (long long)number);
        return;
    }
    snprintf(text, size, "%.*s", (int)choice.len, choice.data);
}
