/* SPDX-License-Identifier: BSD-2-Clause */
/* Which fault has a scenario. */
#include "tests/sim/scenario_faults.h"

#include "tests/sim/scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct catalogue_row {
    int number;
    const char *what;
} catalogue_row;

/* clang-format off */
static const catalogue_row catalogue[] = {
    /* the transport */
    {1, "connection refused"},
    {2, "SYN into a black hole"},
    {3, "accepted, then closed at once, for ever"},
    {4, "reset after the whole request was written"},
    {5, "reset within the answer"},
    {6, "end of stream with requests in flight"},
    {7, "half-open peer"},
    {8, "one byte at a time"},
    {9, "many answers in one read"},
    {10, "partial writes"},
    {11, "lost before a byte of the request went out"},
    {12, "no window for long"},
    {13, "expired while its write is outstanding"},
    {14, "an answer before its request"},
    {15, "bytes after our close"},
    {16, "an answer of another connection"},
    {17, "the original arrives after its retry"},
    {18, "a slow link and large batches"},
    {19, "late success of what has expired"},
    {20, "damaged bytes"},
    {21, "an idle flow that is dropped silently"},
    {22, "connected to itself"},
    {23, "we are heard, and hear nothing"},
    {24, "links that stop and return in any order"},
    /* names */
    {25, "no name resolves"},
    {26, "the resolver never answers"},
    {27, "the first address is dead"},
    {28, "the address of a name changes"},
    {29, "names and ports of odd shape"},
    {30, "another service at an advertised address"},
    /* brokers */
    {31, "the leader is killed"},
    {32, "a broker freezes, then goes on"},
    {33, "rolling restart"},
    {34, "no controller"},
    {35, "all brokers down, then back"},
    {36, "the whole cluster moves"},
    {37, "unclean election"},
    {38, "storage error"},
    {39, "too few replicas, before or after the append"},
    {40, "another release after a reconnect"},
    {41, "very many leaders move at once"},
    {42, "a broker that is slow, not dead"},
    {43, "a broker is taken away for good"},
    {44, "acks=all waits for followers"},
    /* metadata */
    {45, "NOT_LEADER_OR_FOLLOWER, with and without a hint"},
    {46, "a partition is missing in an answer"},
    {47, "every partition without a leader"},
    {48, "more partitions"},
    {49, "fewer partitions"},
    {50, "a topic unknown for a while"},
    {51, "a topic deleted"},
    {52, "a topic deleted and made again"},
    {53, "a leader epoch that goes back"},
    {54, "equal leader epoch, other leader; no epoch at all"},
    {55, "no brokers, or no topics"},
    {56, "another cluster"},
    {57, "two brokers at one address"},
    {58, "a broker at another address"},
    {59, "a leader that is no broker of the answer"},
    {60, "a partition twice, or with an absurd index"},
    {61, "very many partitions"},
    {62, "the leader changes with each answer"},
    {63, "metadata asked of a dead broker"},
    {64, "one topic refused among others"},
    {65, "topics without an id"},
    {66, "tagged fields that nobody knows"},
    {67, "metadata fails while a request is made"},
    {68, "a topic that is being made"},
    /* answers to Produce */
    {69, "each error code, and undefined ones"},
    {70, "different codes in one answer"},
    {71, "DUPLICATE_SEQUENCE_NUMBER, with and without an offset"},
    {72, "an ack after the request timeout"},
    {73, "an answer twice"},
    {74, "a partition twice in an answer"},
    {75, "answers out of order"},
    {76, "a partition left out"},
    {77, "a partition that nobody asked about"},
    {78, "acks=0"},
    {79, "throttle times"},
    {80, "a batch too large"},
    {81, "a record too large"},
    {82, "some records are bad"},
    {83, "odd offsets"},
    {84, "log append time"},
    {85, "the broker timed out, maybe after the append"},
    {86, "CORRUPT_MESSAGE"},
    {87, "a codec that the broker does not know"},
    {88, "refused for minutes"},
    {89, "not allowed to write"},
    {90, "a batch fails while a request is made"},
    /* numbers */
    {91, "the broker has forgotten the producer"},
    {92, "out of order at the head"},
    {93, "one of five is refused for a moment"},
    {94, "one of five expires in flight"},
    {95, "purged in flight"},
    {96, "a retry after many others"},
    {97, "sequences wrap"},
    {98, "no epoch is left"},
    {99, "a bump while requests are made"},
    {100, "a partition idle at the bump"},
    {101, "one sequence in two epochs"},
    {102, "InitProducerId refused or late"},
    {103, "InitProducerId answers nonsense"},
    {104, "no InitProducerId at all"},
    {105, "a retry must be the same bytes"},
    {106, "a queue beside the sequence"},
    {107, "two batches resolved in the wrong order"},
    {108, "one in flight without numbers"},
    /* bytes */
    /* SASL and TLS */
    {138, "a password that is wrong"},
    {139, "mechanism lists: empty, 10,000 names, not ours"},
    {140, "sessions of 0, 1, -1, 2^63-1 ms"},
    {141, "re-authentication with requests in flight"},
    {142, "re-authentication that comes late"},
    {143, "SCRAM nonces that are not extended, or not ours"},
    {144, "SCRAM iterations: 0, 4095, 2^31, as many as allowed"},
    {145, "SCRAM salts and messages: huge, cut, repeated"},
    {146, "SCRAM signatures: wrong, missing; an extra round"},
    {147, "tokens that come late, fail, are huge, run out"},
    {148, "PLAIN without TLS"},
    {149, "no SASL where SASL is wanted"},
    {150, "a certificate that is not trusted"},
    {152, "an authentication that stalls at each step"},
    {158, "counts that lie"},
    {159, "varints that lie"},
    {160, "tags that lie"},
    {161, "odd strings"},
    {162, "odd frame sizes"},
    {163, "a length, then silence"},
    {164, "large frames on many connections"},
    {165, "compressed bytes from a broker"},
    {166, "a codec that expands"},
    {167, "the buffer is full"},
    {168, "failures faster than reports"},
    {169, "no memory"},
    {170, "no sockets"},
    {171, "limits and absent things"},
    {172, "very many partitions with a record each"},
    /* the caller */
    {173, "calls after close"},
    {174, "sending in a report"},
    {175, "closing in a report"},
    {176, "flushing in a report"},
    {177, "closing while connecting"},
    {178, "a loop that is not run"},
    {179, "handles closed behind our back"},
    {180, "two producers"},
    {181, "fork"},
    {182, "configurations that contradict themselves"},
    {183, "payload changed too early"},
    {184, "odd topics and partitions"},
    {186, "a callback that holds the loop"},
    /* time */
    {187, "the wall clock jumps"},
    {188, "the loop stalls with answers waiting"},
    {189, "the machine sleeps"},
    {190, "time that is not told"},
    {191, "timeouts without end or length"},
    {192, "a deadline very near"},
    {193, "very much at one instant"},
    {194, "nothing to do"},
    {195, "lost wake-ups"},
};
/* clang-format on */

#define ROWS (sizeof catalogue / sizeof catalogue[0])

/* The next number of a list like "F45 F53"; 0: there is none. */
static int next_number(const char **at)
{
    *at += strcspn(*at, "F");
    if (!**at)
        return 0;
    char *end;
    long number = strtol(*at + 1, &end, 10);
    *at = end;
    return (int)number;
}

static bool names(const sim_scenario *one, int number)
{
    const char *at = one->faults;
    for (int n; (n = next_number(&at)) != 0;)
        if (n == number)
            return true;
    return false;
}

static bool is_listed(int number)
{
    for (size_t i = 0; i < ROWS; i++)
        if (catalogue[i].number == number)
            return true;
    return false;
}

static int check_names(void)
{
    int wrong = 0;
    const sim_scenario *one;
    for (size_t i = 0; (one = sim_scenario_at(i)) != NULL; i++) {
        const char *at = one->faults;
        for (int n; (n = next_number(&at)) != 0;)
            if (!is_listed(n)) {
                printf("scenario %s names F%d, which is not in the catalogue\n", one->name, n);
                wrong = 1;
            }
    }
    return wrong;
}

int sim_scenario_faults(void)
{
    int covered = 0;
    const sim_scenario *one;
    for (size_t row = 0; row < ROWS; row++) {
        int count = 0;
        for (size_t i = 0; (one = sim_scenario_at(i)) != NULL; i++)
            count += names(one, catalogue[row].number);
        covered += count > 0;
        printf("F%-4d %-52s %2d ", catalogue[row].number, catalogue[row].what, count);
        for (size_t i = 0; (one = sim_scenario_at(i)) != NULL; i++)
            if (names(one, catalogue[row].number))
                printf(" %s", one->name);
        printf("\n");
    }
    int wrong = check_names();
    printf("%d of %zu faults have a scenario, %d are asked for\n", covered, ROWS,
           SIM_FAULTS_COVERED_MIN);
    return wrong || covered < SIM_FAULTS_COVERED_MIN ? 1 : 0;
}
