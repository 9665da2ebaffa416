/* SPDX-License-Identifier: BSD-2-Clause */
/* The kloop command: finds the subcommand and hands over. */
#include "base/check.h"
#include "cli/exit_code.h"
#include "cli/nearest.h"
#include "cli/wire_command.h"

#include <kloop/wire.h>

#include <stdio.h>
#include <string.h>

static void print_check(const char *file, int line, const char *what)
{
    fprintf(stderr,
            "kloop: %s:%d: this must hold and does not: %s\nThis is a fault of kloop; please "
            "report it.\n",
            file, line, what);
}

static void print_help(FILE *to)
{
    fputs("usage: kloop COMMAND [ARGUMENTS]\n"
          "\n"
          "  wire        decode and encode the Kafka wire protocol and record batches\n"
          "\n"
          "  --version   which kloop this is\n"
          "  --help      this text; kloop COMMAND --help tells more of a command\n"
          "\n"
          "examples:\n"
          "  kloop wire apis\n"
          "  echo 'ApiVersions 3 request 066b6c6f6f7006302e312e3000' | kloop wire decode\n",
          to);
}

int main(int argc, char **argv)
{
    kl_check_hook = print_check;
    if (argc < 2) {
        print_help(stderr);
        return KL_EXIT_USAGE;
    }
    const char *word = argv[1];
    if (strcmp(word, "wire") == 0)
        return kl_wire_command(argc - 1, argv + 1);
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) {
        print_help(stdout);
        return KL_EXIT_OK;
    }
    if (strcmp(word, "--version") == 0) {
        printf("kloop %s\n", kloop_version());
        return KL_EXIT_OK;
    }
    static const char *const known[] = {"wire", "--version", "--help"};
    const char *near = NULL;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        near = kl_nearest_of(near, known[i], kloop_text(word));
    fprintf(stderr, "kloop: there is no %s '%s'", word[0] == '-' ? "option" : "command", word);
    if (near)
        fprintf(stderr, ", did you mean '%s'?", near);
    fputs("\nkloop --help lists the commands.\n", stderr);
    return KL_EXIT_USAGE;
}
