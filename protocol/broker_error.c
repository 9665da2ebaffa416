/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lookups in the table of Kafka's error codes. The codes have no gap, so a code is its own index,
 * one off; the compiler checks it. All data is constant; nothing here can fail but by not finding.
 */
#include <kloop/broker_error.h>

#include <string.h>

/*
 * Codes without a class have to do with groups, administration and brokers among themselves, but
 * for three by which a topic can fail that is made because it was asked for. Others have a class
 * because some client acts upon them: one that reads, commits offsets or elects leaders. The texts
 * of all these, more than half of the bytes, stay in the header.
 */
#define MAKES_TOPICS(code)                                                                         \
    ((code) == KLOOP_BROKER_BROKER_NOT_AVAILABLE || (code) == KLOOP_BROKER_INVALID_PARTITIONS ||   \
     (code) == KLOOP_BROKER_INVALID_REPLICATION_FACTOR)
#define COMMITS_OFFSETS(code)                                                                      \
    ((code) == KLOOP_BROKER_OFFSET_METADATA_TOO_LARGE ||                                           \
     (code) == KLOOP_BROKER_ILLEGAL_GENERATION || (code) == KLOOP_BROKER_INVALID_GROUP_ID ||       \
     (code) == KLOOP_BROKER_UNKNOWN_MEMBER_ID ||                                                   \
     (code) == KLOOP_BROKER_INVALID_COMMIT_OFFSET_SIZE ||                                          \
     (code) == KLOOP_BROKER_GROUP_AUTHORIZATION_FAILED ||                                          \
     (code) == KLOOP_BROKER_GROUP_ID_NOT_FOUND || (code) == KLOOP_BROKER_FENCED_INSTANCE_ID ||     \
     (code) == KLOOP_BROKER_UNSTABLE_OFFSET_COMMIT ||                                              \
     (code) == KLOOP_BROKER_FENCED_MEMBER_EPOCH || (code) == KLOOP_BROKER_STALE_MEMBER_EPOCH)
#define READS_OR_ELECTS(code)                                                                      \
    ((code) == KLOOP_BROKER_FETCH_SESSION_ID_NOT_FOUND ||                                          \
     (code) == KLOOP_BROKER_INVALID_FETCH_SESSION_EPOCH ||                                         \
     (code) == KLOOP_BROKER_OFFSET_NOT_AVAILABLE ||                                                \
     (code) == KLOOP_BROKER_PREFERRED_LEADER_NOT_AVAILABLE ||                                      \
     (code) == KLOOP_BROKER_ELIGIBLE_LEADERS_NOT_AVAILABLE ||                                      \
     (code) == KLOOP_BROKER_ELECTION_NOT_NEEDED ||                                                 \
     (code) == KLOOP_BROKER_DELEGATION_TOKEN_AUTHORIZATION_FAILED ||                               \
     (code) == KLOOP_BROKER_INCONSISTENT_TOPIC_ID || (code) == KLOOP_BROKER_NOT_CONTROLLER ||      \
     (code) == KLOOP_BROKER_TRANSACTION_COORDINATOR_FENCED ||                                      \
     (code) == KLOOP_BROKER_FETCH_SESSION_TOPIC_ID_ERROR ||                                        \
     (code) >= KLOOP_BROKER_SHARE_SESSION_NOT_FOUND)
/* Of those who have transactions; the producer has none yet. */
#define TRANSACTS(code)                                                                            \
    ((code) == KLOOP_BROKER_NOT_COORDINATOR || (code) == KLOOP_BROKER_INVALID_TXN_STATE ||         \
     (code) == KLOOP_BROKER_INVALID_PRODUCER_ID_MAPPING ||                                         \
     (code) == KLOOP_BROKER_INVALID_TRANSACTION_TIMEOUT ||                                         \
     (code) == KLOOP_BROKER_CONCURRENT_TRANSACTIONS ||                                             \
     (code) == KLOOP_BROKER_TRANSACTIONAL_ID_AUTHORIZATION_FAILED ||                               \
     (code) == KLOOP_BROKER_TRANSACTION_ABORTABLE)
#define TELLS(code, classes)                                                                       \
    (MAKES_TOPICS(code) || (code) == KLOOP_BROKER_REBOOTSTRAP_REQUIRED ||                          \
     ((classes) && !COMMITS_OFFSETS(code) && !READS_OR_ELECTS(code) && !TRANSACTS(code)))

static const char not_for_producers[] =
    "No request of a producer is answered so. KLOOP_BROKER_ERROR_MAP in <kloop/broker_error.h> has "
    "what it means.";

#define ROW(name, code, classes, text)                                                             \
    {(code), (classes), #name, TELLS(code, classes) ? text : not_for_producers},
static const kloop_broker_error table[] = {KLOOP_BROKER_ERROR_MAP(ROW)};
#undef ROW

enum { FIRST_CODE = KLOOP_BROKER_UNKNOWN_SERVER_ERROR };

/* A row that was left out or put in the wrong place would shift all that follow it. */
#define PLACE(name, code, classes, text) PLACE_##name,
enum { KLOOP_BROKER_ERROR_MAP(PLACE) COUNT };
#undef PLACE
#define CHECK(name, code, classes, text)                                                           \
    _Static_assert(PLACE_##name == (code)-FIRST_CODE, #name " is out of its place");
KLOOP_BROKER_ERROR_MAP(CHECK)
#undef CHECK

const kloop_broker_error *kloop_broker_error_find(int16_t code)
{
    int index = code - FIRST_CODE;
    return index >= 0 && index < COUNT ? &table[index] : NULL;
}

const kloop_broker_error *kloop_broker_error_find_name(const char *name, size_t len)
{
    for (size_t i = 0; i < COUNT; i++)
        if (strlen(table[i].name) == len && memcmp(table[i].name, name, len) == 0)
            return &table[i];
    return NULL;
}

const char *kloop_broker_error_name(int16_t code)
{
    const kloop_broker_error *error = kloop_broker_error_find(code);
    return error ? error->name : "UNKNOWN_ERROR_CODE";
}

const char *kloop_broker_error_explain(int16_t code)
{
    const kloop_broker_error *error = kloop_broker_error_find(code);
    return error ? error->text
                 : "Kafka 4.3 has no such error code: a newer broker may have sent it, or the "
                   "bytes were read as the "
                   "wrong message. Treat it as UNKNOWN_SERVER_ERROR, and look in the broker's log.";
}

uint32_t kloop_broker_error_classes(int16_t code)
{
    const kloop_broker_error *error = kloop_broker_error_find(code);
    return error ? error->classes : kloop_broker_error_classes(KLOOP_BROKER_UNKNOWN_SERVER_ERROR);
}

size_t kloop_broker_error_count(void)
{
    return COUNT;
}

const kloop_broker_error *kloop_broker_error_at(size_t index)
{
    return index < COUNT ? &table[index] : NULL;
}
