/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A main() for fuzz targets without libFuzzer, for any C compiler.
 *
 *     replay_NAME FILE|FOLDER...           each file once, in order of name; 0 if none of them
 * broke anything replay_NAME --time FILE|FOLDER...    the same again and again for a second of
 * processor time: runs a second replay_NAME                          one input from stdin
 *
 * Built with afl-clang-fast it is a persistent AFL++ target, which is given its inputs in shared
 * memory.
 */
#define _POSIX_C_SOURCE 200809L
#include "fuzz/fuzz.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

typedef struct input {
    char *path;
    uint8_t *data;
    size_t size;
} input;

typedef struct inputs {
    input *items;
    size_t count;
    size_t room;
} inputs;

static void *must(void *p)
{
    if (p)
        return p;
    fprintf(stderr, "no memory\n");
    exit(1);
}

static _Noreturn void give_up(const char *path)
{
    perror(path);
    exit(1);
}

static void run(const uint8_t *data, size_t size)
{
    /* In a block of its own, of its exact size. */
    uint8_t *copy = kl_fuzz_exact_copy(data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

/* ---- Reading files ---- */

static uint8_t *read_all(FILE *f, size_t *size)
{
    size_t room = 4096;
    uint8_t *data = must(malloc(room));
    *size = 0;
    for (size_t n; (n = fread(data + *size, 1, room - *size, f)) > 0;) {
        *size += n;
        if (*size == room)
            data = must(realloc(data, room *= 2));
    }
    return data;
}

static void add_file(inputs *all, const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        give_up(path);
    if (all->count == all->room) {
        all->room = all->room ? all->room * 2 : 256;
        all->items = must(realloc(all->items, all->room * sizeof *all->items));
    }
    input *item = &all->items[all->count++];
    item->path = must(strdup(path));
    item->data = read_all(f, &item->size);
    if (ferror(f))
        give_up(path);
    fclose(f);
}

static void add(inputs *all, const char *path)
{
    struct stat st;
    if (stat(path, &st))
        give_up(path);
    if (!S_ISDIR(st.st_mode)) {
        add_file(all, path);
        return;
    }
    DIR *dir = opendir(path);
    if (!dir)
        give_up(path);
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.')
            continue;
        size_t len = strlen(path) + strlen(entry->d_name) + 2;
        char *below = must(malloc(len));
        snprintf(below, len, "%s/%s", path, entry->d_name);
        add(all, below);
        free(below);
    }
    closedir(dir);
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const input *)a)->path, ((const input *)b)->path);
}

/* ---- Running ---- */

/* What breaks kills the process, so the name of the input is told on the way out. */
static const char *running;

static void tell(void)
{
    static const char words[] = "input: ";
    if (!running)
        return;
    ssize_t written = write(STDERR_FILENO, words, sizeof words - 1);
    written += write(STDERR_FILENO, running, strlen(running));
    written += write(STDERR_FILENO, "\n", 1);
    (void)written;
}

static void on_signal(int number)
{
    tell();
    signal(number, SIG_DFL);
    raise(number);
}

/* From <sanitizer/common_interface_defs.h>; not there without a sanitizer. */
extern void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static void watch(void)
{
    signal(SIGABRT, on_signal);
    if (__sanitizer_set_death_callback) {
        __sanitizer_set_death_callback(tell);
        return;
    }
    signal(SIGSEGV, on_signal);
    signal(SIGBUS, on_signal);
    signal(SIGFPE, on_signal);
}

static void replay(const inputs *all)
{
    watch();
    for (size_t i = 0; i < all->count; i++) {
        running = all->items[i].path;
        run(all->items[i].data, all->items[i].size);
    }
    running = NULL;
    printf("%zu inputs\n", all->count);
}

/* Of the processor's time, so that a busy machine tells the same. */
static double spent_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void measure(const inputs *all)
{
    size_t runs = 0;
    double start = spent_s();
    double spent = 0;
    while (spent < 1) {
        for (size_t i = 0; i < all->count; i++)
            run(all->items[i].data, all->items[i].size);
        runs += all->count;
        spent = spent_s() - start;
    }
    printf("%.0f exec/s over %zu inputs\n", (double)runs / spent, all->count);
}

#ifdef __AFL_FUZZ_TESTCASE_LEN
__AFL_FUZZ_INIT();

static void run_afl(void)
{
    __AFL_INIT();
    unsigned char *shared = __AFL_FUZZ_TESTCASE_BUF;
    while (__AFL_LOOP(10000))
        run(shared, (size_t)__AFL_FUZZ_TESTCASE_LEN);
}
#else
static void run_afl(void)
{
    size_t size;
    uint8_t *data = read_all(stdin, &size);
    run(data, size);
    free(data);
}
#endif

int main(int argc, char **argv)
{
    LLVMFuzzerInitialize(&argc, &argv);
    bool timed = argc > 1 && strcmp(argv[1], "--time") == 0;
    int first = timed ? 2 : 1;
    if (argc == 1) {
        run_afl();
        return 0;
    }
    inputs all = {NULL, 0, 0};
    for (int i = first; i < argc; i++)
        add(&all, argv[i]);
    if (all.count == 0) {
        fprintf(stderr, "there are no inputs\n");
        return 1;
    }
    qsort(all.items, all.count, sizeof *all.items, by_path);
    if (timed)
        measure(&all);
    else
        replay(&all);
    for (size_t i = 0; i < all.count; i++) {
        free(all.items[i].path);
        free(all.items[i].data);
    }
    free(all.items);
    return 0;
}
