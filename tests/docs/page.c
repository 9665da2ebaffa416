/* SPDX-License-Identifier: BSD-2-Clause */
/* See page.h. */
#include "tests/docs/page.h"

#include "base/buf.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static kl_buf page;

void page_put(const char *text)
{
    kl_buf_append(&page, text, strlen(text));
}

void page_print(const char *format, ...)
{
    char text[4096];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    page_put(text);
}

static int check(const char *program, const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        fprintf(stderr, "%s: %s cannot be opened\n", program, path);
        return 1;
    }
    char *have = malloc(page.len + 1);
    size_t len = have ? fread(have, 1, page.len + 1, f) : 0;
    fclose(f);
    bool same = len == page.len && memcmp(have, page.data, len) == 0;
    free(have);
    if (!same)
        fprintf(stderr, "%s: %s is not what the code says; write it anew: %s > %s\n", program, path,
                program, path);
    return same ? 0 : 1;
}

int page_main(int argc, char **argv, void (*write)(void))
{
    kl_buf_init(&page, &kl_mem_libc);
    write();
    int status = 0;
    if (page.failed)
        status = 2;
    else if (argc == 3 && strcmp(argv[1], "--check") == 0)
        status = check(argv[0], argv[2]);
    else
        fwrite(page.data, 1, page.len, stdout);
    kl_buf_deinit(&page);
    return status;
}
