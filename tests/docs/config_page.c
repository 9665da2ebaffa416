/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes docs/CONFIG.md from the table of keys and from what a configuration answers, so that the
 * page cannot say anything else than the library does.
 */
#include "base/check.h"
#include "core/config_strangers.h"
#include "core/topic_keys.h"
#include "tests/docs/page.h"

#include <kloop/config_keys.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *name_of(kl_config_id id)
{
    return kl_config_key_of(id)->shown.name;
}

/* ---- Keys ---- */

static const char *const meanings[] = {
#define ROW(ID, name, kind, preset, allowed, unit, meaning) [KL_CONFIG_##ID] = meaning,
    KLOOP_CONFIG_KEYS(ROW)
#undef ROW
};

static const struct alias {
    const char *name;
    kl_config_id id;
    int unit;
    const char *remark;
} aliases[] = {
#define ROW(name, ID, unit, remark) {name, KL_CONFIG_##ID, unit, remark},
    KLOOP_CONFIG_ALIASES(ROW)
#undef ROW
};

#define ALIAS_COUNT (sizeof aliases / sizeof aliases[0])

#define GROUP_MAX   18

static const struct group {
    const char *title;
    int count;
    kl_config_id ids[GROUP_MAX];
} groups[] = {
    {"Where to, and as whom",
     4,
     {KL_CONFIG_BOOTSTRAP, KL_CONFIG_CLIENT_ID, KL_CONFIG_AUTO_CREATE, KL_CONFIG_API_VERSION_MAX}},
    {"What is promised",
     6,
     {KL_CONFIG_ACKS, KL_CONFIG_IDEMPOTENCE, KL_CONFIG_IN_FLIGHT, KL_CONFIG_RETRIES,
      KL_CONFIG_DELIVERY_TIMEOUT, KL_CONFIG_MAX_BLOCK}},
    {"Batches and codecs",
     6,
     {KL_CONFIG_LINGER, KL_CONFIG_BATCH_SIZE, KL_CONFIG_CODEC, KL_CONFIG_GZIP_LEVEL,
      KL_CONFIG_LZ4_LEVEL, KL_CONFIG_ZSTD_LEVEL}},
    {"Memory and sizes",
     5,
     {KL_CONFIG_MEMORY, KL_CONFIG_RECORD_MAX, KL_CONFIG_REQUEST_MAX, KL_CONFIG_RECEIVE_MAX,
      KL_CONFIG_RECEIVE_MEMORY}},
    {"Security", 1, {KL_CONFIG_SECURITY}},
    {"TLS",
     18,
     {KL_CONFIG_CA, KL_CONFIG_CA_TYPE, KL_CONFIG_CA_PASSWORD, KL_CONFIG_CA_PEM,
      KL_CONFIG_HOST_CHECK, KL_CONFIG_KEYSTORE, KL_CONFIG_KEYSTORE_TYPE,
      KL_CONFIG_KEYSTORE_PASSWORD, KL_CONFIG_CERTIFICATE_PEM, KL_CONFIG_KEY_PEM,
      KL_CONFIG_CERTIFICATE_FILE, KL_CONFIG_KEY_FILE, KL_CONFIG_KEY_PASSWORD,
      KL_CONFIG_TLS_VERSIONS, KL_CONFIG_TLS_VERSION, KL_CONFIG_CIPHERS, KL_CONFIG_CURVES,
      KL_CONFIG_SIGALGS}},
    {"SASL",
     12,
     {KL_CONFIG_MECHANISM, KL_CONFIG_USERNAME, KL_CONFIG_PASSWORD, KL_CONFIG_JAAS,
      KL_CONFIG_SCRAM_ITERATIONS, KL_CONFIG_TOKEN_URL, KL_CONFIG_LOGIN_FACTOR,
      KL_CONFIG_LOGIN_JITTER, KL_CONFIG_LOGIN_PERIOD, KL_CONFIG_LOGIN_BUFFER,
      KL_CONFIG_UNSECURED_JWT, KL_CONFIG_OAUTH_CONFIG}},
    {"Partitions",
     4,
     {KL_CONFIG_PARTITIONER, KL_CONFIG_IGNORE_KEYS, KL_CONFIG_ADAPTIVE, KL_CONFIG_AVAILABILITY}},
    {"Waiting and trying again",
     3,
     {KL_CONFIG_REQUEST_TIMEOUT, KL_CONFIG_RETRY, KL_CONFIG_RETRY_MAX}},
    {"Connections",
     10,
     {KL_CONFIG_DNS_LOOKUP, KL_CONFIG_SETUP, KL_CONFIG_SETUP_MAX, KL_CONFIG_RECONNECT,
      KL_CONFIG_RECONNECT_MAX, KL_CONFIG_IDLE, KL_CONFIG_KEEPALIVE, KL_CONFIG_KEEPALIVE_IDLE,
      KL_CONFIG_SEND_BUFFER, KL_CONFIG_RECEIVE_BUFFER}},
    {"What is known of the cluster",
     4,
     {KL_CONFIG_METADATA_MAX_AGE, KL_CONFIG_METADATA_MAX_IDLE, KL_CONFIG_RECOVERY,
      KL_CONFIG_REBOOTSTRAP}},
    {"The program around it", 2, {KL_CONFIG_IGNORE_UNKNOWN, KL_CONFIG_WARN_AT_EXIT}},
};

#define GROUP_COUNT (sizeof groups / sizeof groups[0])

static const char *type_word(const kloop_config_key *key)
{
    static const char *const words[] = {
        [KLOOP_CONFIG_BOOL] = "bool",     [KLOOP_CONFIG_NUMBER] = "number",
        [KLOOP_CONFIG_CHOICE] = "choice", [KLOOP_CONFIG_LIST] = "list",
        [KLOOP_CONFIG_TEXT] = "text",     [KLOOP_CONFIG_FRACTION] = "fraction",
    };
    return key->secret ? "secret" : words[key->type];
}

static void put_key(kl_config_id id)
{
    const kloop_config_key *key = &kl_config_key_of(id)->shown;
    const char *preset = key->preset[0] ? key->preset : "-";
    page_print("| `%s` | %s%s%s | %s | %s | %s |\n", key->name, type_word(key),
               key->unit[0] ? ", " : "", key->unit, preset, key->allowed, meanings[id]);
}

static void put_keys(void)
{
    unsigned told[KL_CONFIG_COUNT] = {0};
    page_put("\n## The keys\n");
    for (size_t g = 0; g < GROUP_COUNT; g++) {
        page_print("\n### %s\n\n", groups[g].title);
        page_put("| key | type | default | allowed | meaning |\n|---|---|---|---|---|\n");
        for (int i = 0; i < groups[g].count; i++) {
            put_key(groups[g].ids[i]);
            told[groups[g].ids[i]]++;
        }
    }
    for (int id = 0; id < KL_CONFIG_COUNT; id++)
        if (told[id] != 1) {
            fprintf(stderr, "config_page: %s is in %u groups; give it one\n",
                    name_of((kl_config_id)id), told[id]);
            exit(2);
        }
}

/* ---- Other defaults ---- */

static const struct difference {
    kl_config_id id;
    const char *java, *librdkafka, *why;
} differences[] = {
    {KL_CONFIG_BATCH_SIZE, "16384", "1000000",
     "a small batch takes little memory here, and a large one costs less for each record"},
    {KL_CONFIG_MEMORY, "33554432", "1073741824", "room for several large batches to each broker"},
    {KL_CONFIG_CLIENT_ID, "producer-1", "rdkafka", ""},
    {KL_CONFIG_IDLE, "540000", "0: never", "as Java"},
    {KL_CONFIG_DELIVERY_TIMEOUT, "120000", "300000", "as Java"},
    {KL_CONFIG_IDEMPOTENCE, "true", "false", "as Java"},
    {KL_CONFIG_IN_FLIGHT, "5", "1000000", "as Java; order is kept when something is sent again"},
    {KL_CONFIG_RECORD_MAX, "1048576", "1000000", "as Java"},
    {KL_CONFIG_PARTITIONER, "murmur2, sticky", "consistent_random",
     "as Java: **keys go to other partitions than with librdkafka** unless it is set"},
    {KL_CONFIG_RECEIVE_BUFFER, "32768", "0: the system's", "the system does better"},
    {KL_CONFIG_SEND_BUFFER, "131072", "0: the system's", "the system does better"},
    {KL_CONFIG_RECONNECT, "50", "100", "as Java"},
    {KL_CONFIG_RECONNECT_MAX, "1000", "10000", "as Java"},
    {KL_CONFIG_REQUEST_TIMEOUT, "30000", "60000 (`socket.timeout.ms`)", "as Java"},
    {KL_CONFIG_SETUP, "10000", "30000", "as Java"},
    {KL_CONFIG_KEEPALIVE, "-", "false", "what forgets idle connections is found out early"},
    {KL_CONFIG_MECHANISM, "GSSAPI", "GSSAPI", "there is no Kerberos: it has to be set"},
    {KL_CONFIG_CA_TYPE, "JKS", "-", "what it is shows in the file; JKS is not read"},
    {KL_CONFIG_KEYSTORE_TYPE, "JKS", "-", "what it is shows in the file; JKS is not read"},
};

static void put_differences(void)
{
    page_put("\n## Where defaults differ\n\n"
             "| key | kloop | Java | librdkafka | why |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < sizeof differences / sizeof differences[0]; i++) {
        const struct difference *d = &differences[i];
        page_print("| `%s` | %s | %s | %s | %s |\n", name_of(d->id),
                   kl_config_key_of(d->id)->shown.preset[0] ? kl_config_key_of(d->id)->shown.preset
                                                            : "-",
                   d->java, d->librdkafka, d->why);
    }
}

/* ---- What a configuration answers ---- */

#define PAIRS_MAX 3

typedef struct said {
    const char *key, *value;
} said;

static kloop_config *config_of(const said pairs[PAIRS_MAX])
{
    kloop_config *c = kloop_config_new(NULL);
    kloop_config_set(c, name_of(KL_CONFIG_BOOTSTRAP), "localhost:9092");
    for (int i = 0; i < PAIRS_MAX && pairs[i].key; i++)
        if (kloop_config_set(c, pairs[i].key, pairs[i].value)) {
            fprintf(stderr, "config_page: %s\n", kloop_config_error(c));
            exit(2);
        }
    return c;
}

static void put_said(const said pairs[PAIRS_MAX])
{
    for (int i = 0; i < PAIRS_MAX && pairs[i].key; i++)
        page_print("%s`%s=%s`", i ? "<br>" : "", pairs[i].key, pairs[i].value);
}

static void put_clash(const said pairs[PAIRS_MAX])
{
    kloop_config *c = config_of(pairs);
    kloop_error error;
    if (!kloop_config_check(c, &error)) {
        fprintf(stderr, "config_page: %s=%s and so on do not clash\n", pairs[0].key,
                pairs[0].value);
        exit(2);
    }
    page_put("| ");
    put_said(pairs);
    page_print(" | %s |\n", error.text);
    kloop_config_del(c);
}

static const said clashes[][PAIRS_MAX] = {
    {{"enable.idempotence", "true"}, {"acks", "1"}},
    {{"enable.idempotence", "true"}, {"retries", "0"}},
    {{"max.in.flight.requests.per.connection", "6"}},
    {{"delivery.timeout.ms", "10000"}, {"linger.ms", "100"}},
    {{"topic.events.linger.ms", "100000"}},
    {{"request.bytes.max", "1000"}},
    {{"receive.memory", "100000"}},
    {{"buffer.memory", "1000"}},
    {{"topic.events.buffer.memory", "1000"}},
    {{"topic.events.buffer.memory", "1000000000"}},
    {{"compression.type", "zstd"}, {"api.version.max", "Produce=6"}},
    {{"security.protocol", "SASL_SSL"}},
    {{"security.protocol", "SSL"},
     {"ssl.truststore.location", "/ca.pem"},
     {"ssl.ca.pem", "-----BEGIN ..."}},
    {{"security.protocol", "SSL"}, {"ssl.certificate.location", "/me.pem"}},
};

static void put_clashes(void)
{
    page_put(
        "\n## Keys that clash\n\n"
        "Each value may be right by itself and the whole not. It is refused when the producer is "
        "opened, or by\n"
        "`kloop_config_check()`; the command ends with exit code 2. Where only one of two was set, "
        "the default of the\n"
        "other one follows as far as that costs nothing but time.\n\n"
        "| set | answer |\n|---|---|\n");
    for (size_t i = 0; i < sizeof clashes / sizeof clashes[0]; i++)
        put_clash(clashes[i]);
}

static void put_refusals(void)
{
    static const said cases[] = {
        {"linger", "5"},
        {"linger.ms", "5ms"},
        {"retries", "-1"},
        {"acks", "two"},
        {"compression.type", "brotli"},
        {"partitioner", "murmur"},
        {"queue.buffering.max.kbytes", "9007199254740992"},
        {"bootstrap.servers", "localhost"},
        {"sasl.pasword", "hunter2"},
        {"sasl.mechanism", "GSSAPI"},
        {"ssl.enabled.protocols", "TLSv1.1,TLSv1.2"},
        {"ssl.keystore.type", "JKS"},
        {"enable.ssl.certificate.verification", "false"},
        {"sasl.oauthbearer.token.endpoint.url", "https://idp/token"},
    };
    page_put("\n## What a refusal looks like\n\n| set | answer |\n|---|---|\n");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kloop_config *c = kloop_config_new(NULL);
        kloop_config_set(c, cases[i].key, cases[i].value);
        page_print("| `%s=%s` | %s |\n", cases[i].key, cases[i].value, kloop_config_error(c));
        kloop_config_del(c);
    }
}

/* ---- Names of others ---- */

static void put_topic_keys(void)
{
    page_put(
        "\n## One topic alone\n\n"
        "These can be set for one topic, as `topic.NAME.KEY` or with `kloop_topic_set()`; what was "
        "not set is as for all:\n");
    for (unsigned i = 0; i < KL_TOPIC_KEY_COUNT; i++)
        page_print("%s`%s`", i ? ", " : "", name_of(kl_topic_keys_config_id((kl_topic_key)i)));
    page_put(
        ".\n"
        "`topic.events.linger.ms=100` is for the topic `events`. kcat's `topic.KEY` without a name "
        "is for all topics.\n");
}

static void put_aliases(void)
{
    page_put(
        "\n## librdkafka's names\n\n"
        "They are taken as other names of a key. Setting two names of one key to different values "
        "is a clash for the\n"
        "command; for a program the last word counts, with a note.\n\n"
        "| librdkafka | key | what else |\n|---|---|---|\n");
    for (size_t i = 0; i < ALIAS_COUNT; i++)
        page_print("| `%s` | `%s` | %s |\n", aliases[i].name, name_of(aliases[i].id),
                   aliases[i].remark);
    page_put(
        "\nThree names mean one thing to Java and another to librdkafka. They have Java's meaning, "
        "and when other names show\n"
        "that somebody thinks of librdkafka, a note says so:\n\n");
    static const said clashing[PAIRS_MAX] = {{"request.timeout.ms", "30000"},
                                             {"metadata.max.age.ms", "900000"},
                                             {"connections.max.idle.ms", "0"}};
    kloop_config *c = config_of(clashing);
    kloop_config_set(c, "metadata.broker.list", "localhost:9092");
    kloop_error note;
    for (size_t i = 0; kloop_config_note(c, i, &note); i++)
        if (strstr(note.text, "meaning"))
            page_print("- %s.\n", note.text);
    kloop_config_del(c);
}

/* Each name of a row as code; a family with three dots. */
static void put_names(const char *names)
{
    for (const char *word = names; *word;) {
        int len = (int)strcspn(word, " ");
        bool empty = word[len - 1] == '=';
        page_print("%s`%.*s%s`", word == names ? "" : ", ", len, word,
                   word[len - 1] == '.' ? "*" : "");
        if (empty)
            page_put(" (empty)");
        word += len + (word[len] == ' ');
    }
}

static void put_strangers(kl_stranger_ruling ruling, const char *title, const char *head)
{
    static const char *const whose[] = {[KL_STRANGER_OF_JAVA] = "Java",
                                        [KL_STRANGER_OF_LIBRDKAFKA] = "librdkafka",
                                        [KL_STRANGER_OF_CONSUMERS] = "consumers"};
    page_print("\n### %s\n\n%s\n\n| whose | names | why |\n|---|---|---|\n", title, head);
    for (size_t i = 0; i < kl_config_strangers_count(); i++) {
        const kl_config_strangers *row = kl_config_strangers_at(i);
        if (row->ruling != ruling)
            continue;
        page_print("| %s | ", whose[row->origin]);
        put_names(row->names);
        page_print(" | %s |\n", kl_config_strangers_why(row));
    }
}

static const char intro[] =
    "# Configuration\n"
    "\n"
    "This page is written by `tests/docs/config_page.c` from the table in\n"
    "[config_keys.h](../include/kloop/config_keys.h), which is also what is parsed and checked; "
    "the answers on it are the\n"
    "library's own. `kloop produce -X list`, or that of perf and meta, prints the keys in a "
    "terminal.\n"
    "\n"
    "Keys have the names, the meanings and mostly the defaults of Kafka's Java producer, version "
    "4; librdkafka's names are\n"
    "understood. Every name of either is known: taken, taken with a note where it has no effect, "
    "or refused with a reason.\n"
    "\n"
    "```c\n"
    "kloop_config *c = kloop_config_new(NULL);\n"
    "kloop_config_set(c, \"bootstrap.servers\", \"localhost:9092\");\n"
    "if (kloop_config_set(c, \"linger.ms\", \"20\"))\n"
    "    fprintf(stderr, \"%s\\n\", kloop_config_error(c));\n"
    "```\n"
    "\n"
    "A bad key or value is refused where it is set, and remembered: who looks at nothing hears of "
    "it when the producer is\n"
    "opened. `kloop_config_note()` has what was taken and may surprise; the producer logs it when "
    "it is opened.\n"
    "\n"
    "Values are text, without the blanks around it. A number is digits with a sign, as Java reads "
    "it; a bool is `true` or\n"
    "`false` in any case; a list has commas.\n"
    "\n"
    "## From the command line\n"
    "\n"
    "| from | as | wins over all below |\n"
    "|---|---|---|\n"
    "| a flag of its own | `-b localhost:9092` | |\n"
    "| `-X KEY=VALUE` | `-X linger.ms=20` | kcat's `-X list` and `-X dump` are there too |\n"
    "| `-X KEY@FILE` | `-X sasl.password@/run/secrets/kafka` | the value is what stands in the "
    "file |\n"
    "| `-F FILE` | `-F client.properties` | of several the last word counts |\n"
    "| the file of the environment | `KLOOP_CONFIG=FILE`, else `$XDG_CONFIG_HOME/kloop.conf`, "
    "else `~/.config/kloop.conf` | a line on stderr says that it was read; `KLOOP_CONFIG=` for "
    "none |\n"
    "| the command | `kloop perf` sets a `client.id` | |\n"
    "| the default | | |\n"
    "\n"
    "`--print-config` prints every key, its value and where it came from, down to the line of a "
    "file, and ends. Notes go to\n"
    "stderr, one line each; `--quiet` leaves them out.\n"
    "\n"
    "What is called a *secret* below is masked, there and in all messages, and its memory is wiped "
    "when it is replaced or given\n"
    "back. A password after `-X` can be read by whoever lists the processes of this machine, and "
    "a note says so: let it stand in\n"
    "a file, for `-F` or for `-X KEY@FILE`, that only its owner can read.\n"
    "\n"
    "PEM that is given as text has its lines as a file has them. `\\n` of two characters ends a "
    "line too, as variables of the\n"
    "environment bring it; and where lines were continued into one by a file of properties, "
    "blanks end them.\n"
    "\n"
    "```\n"
    "$ kloop produce --print-config -F client.properties -z zstd\n"
    "KEY                                       VALUE                             FROM\n"
    "acks                                      all                               "
    "client.properties:3\n"
    "compression.type                          zstd                              -z\n"
    "linger.ms                                 5                                 default\n"
    "```\n"
    "\n"
    "## Files\n"
    "\n"
    "They are Java's properties: `key=value`, `key: value` or `key value`, comments with `#` or "
    "`!`, `\\` at the end of a line\n"
    "continues it, `\\t \\n \\r \\f \\uXXXX`, and `\\` before any other letter is that letter. A "
    "test "
    "compares with\n"
    "`java.util.Properties` itself. Three differences: bytes are UTF-8, where Java's tools take "
    "Latin-1; half a surrogate pair\n"
    "and a zero byte are refused. A file for Java's producer can be used as it is.\n"
    "A file that other programs use as well may have keys that nobody here knows: "
    "`ignore.unknown.config=true`, in it or as\n"
    "`-X`, passes them over with a note.\n";

static void write_page(void)
{
    page_put(intro);
    put_keys();
    put_topic_keys();
    put_refusals();
    put_clashes();
    put_differences();
    put_aliases();
    page_put("\n## Names that are no keys\n\n"
             "`name=value`: only with this value. `name.*`: all that begin so.\n");
    put_strangers(KL_STRANGER_ALIKE, "Taken without a word",
                  "With these values they say what happens anyway.");
    put_strangers(KL_STRANGER_NOTED, "Taken with a note", "They have no effect here.");
    put_strangers(KL_STRANGER_REFUSED, "Refused",
                  "They would change what you get, or are not built yet. "
                  "`ignore.unknown.config` does not reach them.");
}

int main(int argc, char **argv)
{
    return page_main(argc, argv, write_page);
}
