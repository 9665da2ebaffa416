/* SPDX-License-Identifier: BSD-2-Clause */
/* The kloop command: finds the subcommand and hands over. */
#define _POSIX_C_SOURCE 200809L
#include "base/check.h"
#include "base/nearest.h"
#include "cli/command_list.h"
#include "cli/exit_code.h"

#include <kloop/wire.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void print_check(const char *file, int line, const char *what)
{
    fprintf(stderr,
            "kloop: %s:%d: this must hold and does not: %s\nThis is a fault of kloop; please "
            "report it.\n",
            file, line, what);
}

static void print_help(FILE *to)
{
    fputs("usage: kloop COMMAND [ARGUMENTS]\n\n", to);
    for (size_t i = 0; i < kl_command_count; i++)
        fprintf(to, "  %-11s %s\n", kl_commands[i]->name, kl_commands[i]->summary);
    fputs("\n"
          "  --version   which kloop this is\n"
          "  --help      this text; kloop COMMAND --help tells more of a command\n"
          "\n"
          "examples:\n",
          to);
    kl_command_print_lines(kl_kloop_examples, "  ", "  ", to);
}

static int unknown(const char *word)
{
    const char *near = kl_nearest_of(NULL, "--version", kloop_text(word));
    near = kl_nearest_of(near, "--help", kloop_text(word));
    for (size_t i = 0; i < kl_command_count; i++)
        near = kl_nearest_of(near, kl_commands[i]->name, kloop_text(word));
    fprintf(stderr, "kloop: there is no %s '%s'", word[0] == '-' ? "option" : "command", word);
    if (near)
        fprintf(stderr, ", did you mean '%s'?", near);
    fputs("\nkloop --help lists the commands.\n", stderr);
    return KL_EXIT_USAGE;
}

/*
 * Who starts us with standard input or output closed must not find sockets in their place. What
 * stands there now answers as something closed does: reading the one and writing the others fails
 * with EBADF.
 */
static void hold_standard_fds(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0)
            (void)open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    }
}

int main(int argc, char **argv)
{
    kl_check_hook = print_check;
    hold_standard_fds();
    if (argc < 2) {
        print_help(stderr);
        return KL_EXIT_USAGE;
    }
    const char *word = argv[1];
    for (size_t i = 0; i < kl_command_count; i++) {
        if (strcmp(word, kl_commands[i]->name) == 0)
            return kl_commands[i]->run(argc - 1, argv + 1);
    }
    if (strcmp(word, "help") == 0 && argc > 2) {
        for (size_t i = 0; i < kl_command_count; i++) {
            if (strcmp(argv[2], kl_commands[i]->name) == 0) {
                kl_command_help(kl_commands[i], stdout);
                return KL_EXIT_OK;
            }
        }
        return unknown(argv[2]);
    }
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) {
        print_help(stdout);
        return KL_EXIT_OK;
    }
    if (strcmp(word, "--version") == 0) {
        printf("kloop %s\n", kloop_version());
        return KL_EXIT_OK;
    }
    return unknown(word);
}
