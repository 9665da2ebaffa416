/* SPDX-License-Identifier: BSD-2-Clause */
/* driver/tls_trust.c, tls_pem.c, tls_files.c: where CAs come from, and what is said of files that
 * cannot be used. */
#define _POSIX_C_SOURCE 200809L /* setenv */
#include "tests/support/tls_world.h"

#include <openssl/pkcs12.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct place {
    kl_tls_world w;
    kl_tls_folder folder;
    kl_tls_pair other;
    char *pem, *other_pem;
    char path[128];
} place;

static void begin(place *p)
{
    kl_tls_world_init(&p->w);
    kl_tls_world_set(&p->w, "ssl.truststore.certificates", "");
    p->folder = kl_tls_test_folder_new();
    p->other = kl_tls_pair_make(&(kl_tls_wish){.name = "Other CA", .is_ca = true}, NULL);
    p->pem = kl_tls_pem_certificate(&p->w.ca);
    p->other_pem = kl_tls_pem_certificate(&p->other);
}

static void end(place *p)
{
    kl_tls_test_folder_del(&p->folder);
    kl_tls_pair_free(&p->other);
    free(p->pem);
    free(p->other_pem);
    kl_tls_world_deinit(&p->w);
}

/* ssl.truststore.location is a file of this name from now on. */
static void trust_file(place *p, const char *name)
{
    kl_tls_test_path(&p->folder, name, p->path);
    kl_tls_world_set(&p->w, "ssl.truststore.location", p->path);
}

static void trust_bytes(place *p, const char *name, const void *bytes, size_t len)
{
    kl_tls_test_file(&p->folder, name, bytes, len);
    trust_file(p, name);
}

static void trust_texts(place *p, const char *name, const char *const *parts)
{
    char *text = kl_tls_pem_join(parts);
    trust_bytes(p, name, text, strlen(text));
    free(text);
}

static void works(place *p)
{
    kl_tls_world_open(&p->w);
    kl_tls_world_connect(&p->w, "broker1");
    kl_tls_world_up(&p->w);
    kl_tls_world_disconnect(&p->w);
    kloop_tls_del(p->w.tls);
    p->w.tls = NULL;
}

static void all_certificates_of_a_file(void **state)
{
    (void)state;
    place p;
    begin(&p);
    trust_texts(&p, "one.pem", (const char *const[]){p.pem, NULL});
    works(&p);
    /* The last one of many, with words and keys in between. */
    char *key = kl_tls_pem_key_text(&p.other, "secret");
    trust_texts(
        &p, "many.pem",
        (const char *const[]){"# Other\n", p.other_pem, p.other_pem, key, "words\n", p.pem, NULL});
    works(&p);
    free(key);
    kl_tls_world_set(&p.w, "ssl.truststore.type", "PEM");
    works(&p);
    end(&p);
}

static void a_directory(void **state)
{
    (void)state;
    place p;
    begin(&p);
    char path[128], there[192];
    kl_tls_test_path(&p.folder, "cas", path);
    assert_int_equal(mkdir(path, 0700), 0);
    kl_tls_world_set(&p.w, "ssl.truststore.location", path);
    kl_tls_world_refused(&p.w, "ssl.truststore.location", path, "no certificate", NULL);
    kl_tls_test_text(&p.folder, "cas/notes.txt", "not a certificate");
    kl_tls_test_text(&p.folder, "cas/other.pem", p.other_pem);
    kl_tls_test_text(&p.folder, "cas/ours.crt", p.pem);
    works(&p);
    /* Hashed names, as openssl rehash makes them, of the same files and alone. */
    snprintf(there, sizeof there, "%s/01234567.0", path);
    assert_int_equal(symlink("ours.crt", there), 0);
    works(&p);
    kl_tls_test_path(&p.folder, "cas/ours.crt", path);
    assert_int_equal(remove(path), 0);
    assert_int_equal(remove(there), 0);
    kl_tls_test_text(&p.folder, "cas/89abcdef.1", p.pem);
    works(&p);
    kl_tls_test_text(&p.folder, "cas/broken.pem",
                     "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    kl_tls_world_refused(&p.w, "broken.pem", "certificate 1 in it is broken", NULL);
    end(&p);
}

/* All of them are looked at again when they may have changed, which must not hold the loop. */
static void a_directory_is_bounded(void **state)
{
    (void)state;
    place p;
    begin(&p);
    kl_tls_world_set(&p.w, "ssl.truststore.location", p.folder.path);
    char first[128], next[128], name[16];
    kl_tls_test_text(&p.folder, "0.pem", p.pem);
    kl_tls_test_path(&p.folder, "0.pem", first);
    for (int i = 1; i <= 1024; i++) {
        if (i == 1024)
            works(&p);
        snprintf(name, sizeof name, "%d.pem", i);
        kl_tls_test_path(&p.folder, name, next);
        assert_int_equal(link(first, next), 0);
    }
    kl_tls_world_refused(&p.w, p.folder.path, "more than 1024", NULL);
    end(&p);
}

static void pkcs12_stores(void **state)
{
    (void)state;
    place p;
    size_t len;
    begin(&p);
    uint8_t *bytes = kl_tls_pkcs12_bytes(
        NULL, (const kl_tls_pair *const[]){&p.other, &p.w.ca, NULL}, "changeit", &len);
    trust_bytes(&p, "trust.p12", bytes, len);
    kl_tls_world_refused(&p.w, "needs a password", "ssl.truststore.password", p.path, NULL);
    kl_tls_world_set(&p.w, "ssl.truststore.password", "hunter2");
    kl_tls_world_refused(&p.w, "password in ssl.truststore.password is wrong", NULL);
    kl_tls_world_set(&p.w, "ssl.truststore.password", "changeit");
    works(&p);
    kl_tls_world_set(&p.w, "ssl.truststore.type", "PKCS12");
    works(&p);
    kl_tls_world_set(&p.w, "ssl.truststore.type", "PEM");
    kl_tls_world_refused(&p.w, "is PKCS12", "ssl.truststore.type=PEM", NULL);
    kl_tls_world_set(&p.w, "ssl.truststore.type", "PKCS12");
    trust_texts(&p, "ca.pem", (const char *const[]){p.pem, NULL});
    kl_tls_world_refused(&p.w, "is PEM", "ssl.truststore.type=PKCS12", NULL);
    kl_tls_world_set(&p.w, "ssl.truststore.type", "PKCS12");
    /* Cut anywhere it is broken, and said to be. */
    for (size_t cut = 1; cut < len; cut += 97) {
        trust_bytes(&p, "cut.p12", bytes, cut);
        kl_tls_world_refused(&p.w, "cut.p12", NULL);
    }
    free(bytes);
    /* The own store, named by mistake: who issued the own certificate need not be who may issue
     * those of brokers. */
    bytes = kl_tls_pkcs12_bytes(&p.other, (const kl_tls_pair *const[]){&p.w.ca, NULL}, "changeit",
                                &len);
    trust_bytes(&p, "own.p12", bytes, len);
    kl_tls_world_refused(&p.w, "own.p12", "private key", "openssl pkcs12", NULL);
    free(bytes);
    end(&p);
}

static void what_is_wrong_is_told(void **state)
{
    (void)state;
    place p;
    begin(&p);
    trust_file(&p, "absent.pem");
    kl_tls_world_refused(&p.w, "ssl.truststore.location=", "absent.pem", "no such file", NULL);
    trust_bytes(&p, "empty.pem", "", 0);
    kl_tls_world_refused(&p.w, "empty.pem", "is empty", NULL);
    trust_bytes(&p, "words.pem", "words", 5);
    kl_tls_world_refused(&p.w, "words.pem", "neither PEM", NULL);
    trust_bytes(&p, "store.jks", "\xfe\xed\xfe\xed\0\0\0\2\0\0\0\0", 12);
    kl_tls_world_refused(&p.w, "store.jks", "JKS", "keytool -importkeystore", "PKCS12", NULL);
    size_t len;
    uint8_t *der = kl_tls_der_bytes(&p.w.ca, &len);
    trust_bytes(&p, "ca.der", der, len);
    kl_tls_world_refused(&p.w, "ca.der", "DER", "openssl x509 -inform DER", NULL);
    free(der);
    char *key = kl_tls_pem_key_text(&p.w.ca, NULL);
    trust_texts(&p, "key.pem", (const char *const[]){key, NULL});
    kl_tls_world_refused(&p.w, "key.pem", "no certificate", "only a key", NULL);
    free(key);
    /* The second of two is broken: nothing is taken. */
    char broken[4096];
    snprintf(broken, sizeof broken, "%s%.100s\n-----END CERTIFICATE-----\n", p.other_pem, p.pem);
    trust_bytes(&p, "half.pem", broken, strlen(broken));
    kl_tls_world_refused(&p.w, "half.pem", "certificate 2 in it is broken", NULL);
    trust_bytes(&p, "cut.pem", p.pem, strlen(p.pem) - 40);
    kl_tls_world_refused(&p.w, "cut.pem", "certificate 1 in it is broken", NULL);
    if (getuid() != 0) {
        trust_texts(&p, "shut.pem", (const char *const[]){p.pem, NULL});
        chmod(p.path, 0);
        kl_tls_world_refused(&p.w, "shut.pem", "may not read", NULL);
    }
    char fifo[128];
    kl_tls_test_path(&p.folder, "fifo.pem", fifo);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    trust_file(&p, "fifo.pem");
    kl_tls_world_refused(&p.w, "fifo.pem", "no plain file", NULL);
    end(&p);
}

static void inline_text(void **state)
{
    (void)state;
    place p;
    begin(&p);
    char *both = kl_tls_pem_join((const char *const[]){p.other_pem, p.pem, NULL});
    kl_tls_world_set(&p.w, "ssl.truststore.certificates", both);
    works(&p);
    free(both);
    trust_texts(&p, "ca.pem", (const char *const[]){p.pem, NULL});
    kl_tls_world_refused(&p.w, "ssl.truststore.location", "ssl.truststore.certificates",
                         "leave one out", NULL);
    end(&p);
}

/* Whoever overlooks that a key was refused does not get TLS without it. */
static void what_was_refused_stays_so(void **state)
{
    (void)state;
    place p;
    begin(&p);
    kl_tls_world_set(&p.w, "ssl.truststore.certificates", p.pem);
    assert_int_equal(kloop_config_set(p.w.config, "ssl.crl.location", "/etc/crl.pem"),
                     KLOOP_BAD_CONFIG);
    kl_tls_world_refused(&p.w, "ssl.crl.location", NULL);
    end(&p);
}

/* A CA in between, or the broker's own certificate, is trusted by itself, as Java does it. */
static void what_is_in_the_store_is_trusted(void **state)
{
    (void)state;
    place p;
    begin(&p);
    char *own = kl_tls_pem_certificate(&p.w.own);
    trust_texts(&p, "own.pem", (const char *const[]){own, NULL});
    works(&p);
    free(own);
    end(&p);
}

static void the_systems_store(void **state)
{
    (void)state;
    place p;
    begin(&p);
    char file[128];
    kl_tls_test_text(&p.folder, "bundle.pem", p.pem);
    kl_tls_test_path(&p.folder, "bundle.pem", file);
    setenv("SSL_CERT_FILE", file, 1);
    setenv("SSL_CERT_DIR", "/nowhere:/nowhere/else", 1);
    works(&p);
    kl_tls_world_set(&p.w, "ssl.truststore.location", "");
    works(&p);
    kl_tls_test_text(&p.folder, "bundle.pem", "nothing");
    kl_tls_world_refused(&p.w, "SSL_CERT_FILE", "bundle.pem", NULL);
    unsetenv("SSL_CERT_FILE");
    setenv("SSL_CERT_DIR", p.folder.path, 1);
    kl_tls_test_text(&p.folder, "ours.pem", p.pem);
    works(&p);
    /* As openssl rehash makes it, it is searched when somebody is to be verified. */
    char hashed[32], from[128], to[128];
    snprintf(hashed, sizeof hashed, "%08lx.0", X509_subject_name_hash(p.w.ca.certificate));
    kl_tls_test_path(&p.folder, "ours.pem", from);
    kl_tls_test_path(&p.folder, hashed, to);
    assert_int_equal(rename(from, to), 0);
    works(&p);
    unsetenv("SSL_CERT_DIR");
    /* Whom it does not have, it does not trust: the sentence names a key to set. */
    kloop_error error;
    if (kloop_tls_new(&p.w.tls, p.w.config, NULL, p.w.now, &error) == KLOOP_OK) {
        kl_tls_world_connect(&p.w, "broker1");
        kl_tls_world_fails(&p.w, true, "the system's store", "set ssl.truststore.location", NULL);
        kl_tls_world_disconnect(&p.w);
    } else {
        assert_non_null(strstr(error.text, "ca-certificates"));
    }
    end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_certificates_of_a_file),
        cmocka_unit_test(a_directory),
        cmocka_unit_test(a_directory_is_bounded),
        cmocka_unit_test(pkcs12_stores),
        cmocka_unit_test(what_is_wrong_is_told),
        cmocka_unit_test(inline_text),
        cmocka_unit_test(what_was_refused_stays_so),
        cmocka_unit_test(what_is_in_the_store_is_trusted),
        cmocka_unit_test(the_systems_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
