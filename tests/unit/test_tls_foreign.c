/* SPDX-License-Identifier: BSD-2-Clause */
/* A peer that somebody else has written: Python's ssl module at the other end of a socket, which
 * has its own ideas of tickets, records and goodbyes. It echoes, and asks for a certificate. */
#define _POSIX_C_SOURCE 200809L /* fork, execlp, socketpair */
#include "tests/support/tls_world.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define LEN 300000

static const char echo[] =
    "import socket, ssl, sys\n"
    "folder, version, length = sys.argv[1], sys.argv[2], int(sys.argv[3])\n"
    "context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\n"
    "context.minimum_version = context.maximum_version = ssl.TLSVersion[version]\n"
    "context.load_cert_chain(folder + '/broker.pem')\n"
    "context.load_verify_locations(folder + '/ca.pem')\n"
    "context.verify_mode = ssl.CERT_REQUIRED\n"
    "s = context.wrap_socket(socket.socket(fileno=0), server_side=True)\n"
    "assert dict(x[0] for x in s.getpeercert()['subject'])['commonName'] == 'alice'\n"
    "assert s.version() == version.replace('_', '.')\n"
    "got = b''\n"
    "while len(got) < length:\n"
    "    got += s.recv(10000)\n"
    "s.sendall(got)\n"
    "s.unwrap()\n";

static void write_files(const kl_tls_world *w, const kl_tls_folder *folder)
{
    char *ca = kl_tls_pem_certificate(&w->ca), *own = kl_tls_pem_certificate(&w->own);
    char *key = kl_tls_pem_key_text(&w->own, NULL);
    char *both = kl_tls_pem_join((const char *const[]){key, own, NULL});
    kl_tls_test_text(folder, "ca.pem", ca);
    kl_tls_test_text(folder, "broker.pem", both);
    kl_tls_test_text(folder, "echo.py", echo);
    free(both);
    free(key);
    free(own);
    free(ca);
}

static pid_t start(const kl_tls_folder *folder, const char *version, int *fd)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    char script[128], length[16];
    kl_tls_test_path(folder, "echo.py", script);
    snprintf(length, sizeof length, "%d", LEN);
    pid_t child = fork();
    if (child == 0) {
        dup2(pair[1], 0);
        close(pair[0]);
        close(pair[1]);
        execlp("python3", "python3", "-B", script, folder->path, version, length, (char *)NULL);
        _exit(127);
    }
    close(pair[1]);
    *fd = pair[0];
    return child;
}

/* Sends what there is, and takes in what comes next; false: the end. */
static void send_all(kloop_tls_channel *c, int fd)
{
    for (kloop_slice out; (out = kloop_tls_output(c)).len > 0;) {
        ssize_t n = send(fd, out.data, out.len, MSG_NOSIGNAL);
        assert_true(n > 0);
        kloop_tls_sent(c, (size_t)n);
    }
}

static bool take_some(kloop_tls_channel *c, int fd)
{
    size_t room;
    uint8_t *space = kloop_tls_receive_space(c, &room);
    ssize_t n = space ? recv(fd, space, room, 0) : 0;
    if (n <= 0)
        kloop_tls_received_end(c);
    else
        kloop_tls_received(c, (size_t)n);
    return n > 0;
}

static void talk(kloop_tls_channel *c, int fd)
{
    static uint8_t sent[LEN], got[LEN];
    for (size_t i = 0; i < LEN; i++)
        sent[i] = (uint8_t)(i * 13 ^ i >> 9);
    do
        send_all(c, fd);
    while (kloop_tls_state_of(c) == KLOOP_TLS_SHAKING && take_some(c, fd));
    if (kloop_tls_state_of(c) != KLOOP_TLS_UP)
        fail_msg("%s", kloop_tls_why(c));
    for (size_t at = 0; at < LEN;) {
        at += kloop_tls_write(c, &(kloop_slice){sent + at, LEN - at}, 1);
        send_all(c, fd);
    }
    size_t len = 0;
    while (kloop_tls_state_of(c) == KLOOP_TLS_UP && take_some(c, fd))
        for (size_t n; (n = kloop_tls_read(c, got + len, LEN - len + 1)) > 0;)
            len += n;
    assert_int_equal(len, LEN);
    assert_memory_equal(sent, got, LEN);
    assert_int_equal(kloop_tls_state_of(c), KLOOP_TLS_ENDED);
    send_all(c, fd);
}

static void talks_with_python(void **state)
{
    (void)state;
    const char *const versions[][2] = {{"TLSv1.2", "TLSv1_2"}, {"TLSv1.3", "TLSv1_3"}};
    for (size_t v = 0; v < 2; v++) {
        kl_tls_world w;
        kl_tls_world_init(&w);
        kl_tls_folder folder = kl_tls_test_folder_new();
        write_files(&w, &folder);
        kl_tls_pair alice = kl_tls_pair_make(&(kl_tls_wish){.name = "alice"}, &w.ca);
        char *key = kl_tls_pem_key_text(&alice, NULL), *pem = kl_tls_pem_certificate(&alice);
        kl_tls_world_set(&w, "ssl.keystore.key", key);
        kl_tls_world_set(&w, "ssl.keystore.certificate.chain", pem);
        kl_tls_world_open(&w);
        int fd, how;
        pid_t child = start(&folder, versions[v][1], &fd);
        kloop_tls_channel *c;
        assert_int_equal(
            kloop_tls_channel_new(&c, w.tls, (kloop_string){"127.0.0.1", 9}, 1, w.now, NULL),
            KLOOP_OK);
        talk(c, fd);
        kloop_tls_facts facts;
        kloop_tls_facts_of(c, &facts);
        assert_string_equal(facts.version, versions[v][0]);
        assert_true(facts.certificate_sent);
        kloop_tls_channel_del(c);
        assert_int_equal(waitpid(child, &how, 0), child);
        assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 0);
        close(fd);
        free(key);
        free(pem);
        kl_tls_pair_free(&alice);
        kl_tls_test_folder_del(&folder);
        kl_tls_world_deinit(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(talks_with_python),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
