/* SPDX-License-Identifier: BSD-2-Clause */
/* Where kloop sends records: a line filter that answers what PartitionLines.java answers. */
#include "base/mem.h"
#include "core/hashes.h"
#include "core/sticky_tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES 65536
#define COUNT_MAX      1024

static void fail(const char *what)
{
    fprintf(stderr, "partitions: %s\n", what);
    exit(1);
}

static void put(bool first, uint64_t number)
{
    printf("%s%llu", first ? "" : " ", (unsigned long long)number);
}

static unsigned digit(char c)
{
    const char *digits = "0123456789abcdef";
    const char *at = strchr(digits, c);
    if (!c || !at)
        fail("no hex digit");
    return (unsigned)(at - digits);
}

/* HEX COUNT.. */
static void answer_key(char *rest)
{
    static uint8_t key[LINE_MAX_BYTES];
    char *counts = strchr(rest, ' ');
    if (!counts)
        fail("a key without counts");
    size_t len = (size_t)(counts - rest) / 2;
    for (size_t i = 0; i < len; i++)
        key[i] = (uint8_t)(digit(rest[2 * i]) << 4 | digit(rest[2 * i + 1]));
    bool first = true;
    for (char *word = strtok(counts, " "); word; word = strtok(NULL, " "), first = false)
        put(first, (uint64_t)kl_partition_for_key(key, len, (int32_t)strtol(word, NULL, 10)));
}

/* QUEUE.. */
static void read_tree(char *rest, kl_sticky_tree *tree)
{
    const char *words[COUNT_MAX];
    uint32_t count = 0;
    for (char *word = strtok(rest, " "); word && count < COUNT_MAX; word = strtok(NULL, " "))
        words[count++] = word;
    if (!kl_sticky_tree_init(tree, &kl_mem_libc, count))
        fail("no memory");
    kl_sticky_tree_begin(tree);
    for (uint32_t i = 0; i < count; i++) {
        bool present = strcmp(words[i], "-") != 0;
        uint32_t waiting = present ? (uint32_t)strtoul(words[i], NULL, 10) : 0;
        if (!kl_sticky_tree_append(tree, present, waiting))
            fail("no memory");
    }
}

static void answer_turns(char *rest)
{
    kl_sticky_tree tree;
    read_tree(rest, &tree);
    for (uint32_t turn = 0; turn < 2 * tree.count + 1; turn++)
        put(turn == 0, tree.all.present ? kl_sticky_tree_at(&tree, turn % tree.all.present, false)
                                        : turn % tree.count);
    kl_sticky_tree_deinit(&tree);
}

static void answer_draws(char *rest)
{
    kl_sticky_tree tree;
    read_tree(rest, &tree);
    uint64_t sum = kl_sticky_tree_sum(&tree, true);
    for (uint64_t at = 0; at < (sum ? sum : tree.count); at++)
        put(at == 0, sum ? kl_sticky_tree_at(&tree, at, true) : at);
    kl_sticky_tree_deinit(&tree);
}

int main(void)
{
    static char line[LINE_MAX_BYTES];
    while (fgets(line, sizeof line, stdin)) {
        size_t len = strlen(line);
        if (len == 0 || line[len - 1] != '\n')
            fail("a line is too long");
        line[len - 1] = '\0';
        if (strncmp(line, "key ", 4) == 0)
            answer_key(line + 4);
        else if (strncmp(line, "turns ", 6) == 0)
            answer_turns(line + 6);
        else if (strncmp(line, "draws ", 6) == 0)
            answer_draws(line + 6);
        else
            fail("no such question");
        putchar('\n');
    }
    return ferror(stdin) ? 1 : 0;
}
