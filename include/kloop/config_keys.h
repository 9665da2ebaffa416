/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keys of a configuration as a macro, one row each, sorted by name:
 *
 *     XX(ID, name, kind, preset, allowed, unit, meaning)
 *
 * The library is built from it, and so are `kloop -X list` and docs/CONFIG.md. A program that wants
 * to show or describe keys can expand it too. All are literals but ID, a word to make names of, and
 * kind, which is one of
 *     BOOL         true or false, in any case
 *     CHOICE       one of what is allowed; without a preset none until it is set
 *     CHOICES      one of what is allowed, or several with commas
 *     FRACTION     a number with at most six digits behind its point, in the range of allowed
 *     LEVEL        the level of a codec
 *     NUMBER       a whole number in the range "lowest to highest", which is read from allowed
 *     PARTITIONER  a CHOICE, or the name of one of Java's classes
 *     PEM          text of certificates or a key
 *     SECRET, SECRET_PEM  text that is not to be shown
 *     SERVERS, TEXT, VERSIONS  text, with a check of its own each
 * unit is what a NUMBER counts: "ms", "bytes" or "" for things.
 *
 * Names, presets and ranges are those of Kafka's Java producer, version 4, unless the meaning says
 * why not. Nothing is owned, nothing can fail.
 */
#ifndef KLOOP_CONFIG_KEYS_H
#define KLOOP_CONFIG_KEYS_H

#include <kloop/config.h>

/* clang-format off */
#define KLOOP_CONFIG_KEYS(XX)                                                                     \
    XX(ACKS, "acks", CHOICE, "all",                                                               \
       "all, -1, 0, 1", "",                                                                       \
       "Which brokers must have a record before it counts as delivered: all (or -1) "             \
       "in-sync replicas, 1 for the leader alone, 0 for nobody. Less than all rules out "         \
       "enable.idempotence.")                                                                     \
    XX(AUTO_CREATE, "allow.auto.create.topics", BOOL, "true",                                     \
       "true, false", "",                                                                         \
       "May a broker create a topic that is sent to and does not exist? The broker must "         \
       "allow it too.")                                                                           \
    XX(API_VERSION_MAX, "api.version.max", VERSIONS, "",                                          \
       "API=VERSION, or several with commas; APIs are Produce, Metadata, ApiVersions, "           \
       "InitProducerId", "",                                                                      \
       "No newer version of an API is spoken than this, whatever a broker offers: for "           \
       "those of other vendors that promise more than they keep, such as Produce=12 where "       \
       "topic ids are not understood. Java has no such key.")                                     \
    XX(BATCH_SIZE, "batch.size", NUMBER, "1000000",                                               \
       "0 to 2147483647", "bytes",                                                                \
       "Bytes of a batch, before compression, at which it is sent without lingering. More "       \
       "than max.request.size counts as that. Java's 16384 costs throughput and saves "           \
       "nothing here, where a small batch takes little memory.")                                  \
    XX(BOOTSTRAP, "bootstrap.servers", SERVERS, "",                                               \
       "HOST:PORT, or several with commas", "",                                                   \
       "Brokers to ask for all others. A few suffice; an IPv6 address stands in brackets: "       \
       "[::1]:9092. There is no default.")                                                         \
    XX(MEMORY, "buffer.memory", NUMBER, "67108864",                                               \
       "0 to 9223372036854775807", "bytes",                                                       \
       "Bytes that records may take from being accepted until being reported; sending is "        \
       "refused beyond. Whole blocks of memory count, up to 68 KiB more than a record "           \
       "has. Must hold at least one record of max.request.size.")                                 \
    XX(DNS_LOOKUP, "client.dns.lookup", CHOICE, "use_all_dns_ips",                                \
       "use_all_dns_ips, resolve_canonical_bootstrap_servers_only", "",                           \
       "All addresses of a name are tried, in the order of the answer, one at once after "        \
       "another that cannot be connected to. The other choice of Java's producer is "             \
       "refused: it serves Kerberos alone.")                                                      \
    XX(CLIENT_ID, "client.id", TEXT, "kloop",                                                     \
       "UTF-8 of at most 32767 bytes", "",                                                        \
       "The name that brokers see: in their logs, quotas and metrics.")                           \
    XX(GZIP_LEVEL, "compression.gzip.level", LEVEL, "-1",                                         \
       "-1, 1 to 9", "",                                                                          \
       "1 is fastest, 9 smallest, -1 stands for 6. 8 and 9 can hold the loop for "                \
       "milliseconds at a time.")                                                                 \
    XX(LZ4_LEVEL, "compression.lz4.level", LEVEL, "9",                                            \
       "1 to 17", "",                                                                             \
       "9 is lz4's fast way, every other level the thorough one: 1 to 3 hold the loop for "       \
       "about a millisecond at a time, from 4 on it is more, from 8 on 10 to 300.")               \
    XX(CODEC, "compression.type", CHOICES, "none",                                                \
       "none, gzip, snappy, lz4, zstd; or several with commas, best first", "",                   \
       "What batches are compressed with. A batch that would not get smaller goes as it "         \
       "is. Of several, such as zstd,lz4,none, a batch gets the first that the leader of "        \
       "its partition takes: zstd needs Kafka 2.1, and a broker may refuse any.")                 \
    XX(ZSTD_LEVEL, "compression.zstd.level", LEVEL, "3",                                          \
       "-131072 to 22", "",                                                                       \
       "Higher is smaller and slower. Up to 9 the loop is held for well below a "                 \
       "millisecond at a time, from 10 on it is more, from 15 on up to 20.")                      \
    XX(IDLE, "connections.max.idle.ms", NUMBER, "540000",                                         \
       "-1 to 9223372036854775807", "ms",                                                         \
       "A connection without traffic is closed after this time; -1: never. As for Java 0 "        \
       "is no time at all, where librdkafka means never.")                                        \
    XX(DELIVERY_TIMEOUT, "delivery.timeout.ms", NUMBER, "120000",                                 \
       "0 to 2147483647", "ms",                                                                   \
       "A record is reported at the latest this long after it was accepted. At least "            \
       "linger.ms and request.timeout.ms together, also where librdkafka takes 0 for no "         \
       "limit; the default follows them.")                                                         \
    XX(IDEMPOTENCE, "enable.idempotence", BOOL, "true",                                           \
       "true, false", "",                                                                         \
       "Brokers recognise what was sent twice, and keep the order of a partition. Needs "         \
       "acks=all, retries and at most 5 requests in flight; turned off where acks or "            \
       "retries are set otherwise, unless it was asked for.")                                     \
    XX(UNSECURED_JWT, "enable.sasl.oauthbearer.unsecure.jwt", BOOL, "false",                      \
       "true, false", "",                                                                         \
       "For tests: tokens that nobody has signed are made of sasl.oauthbearer.config. "           \
       "A name of librdkafka's.")                                                                 \
    XX(IGNORE_UNKNOWN, "ignore.unknown.config", BOOL, "false",                                    \
       "true, false", "",                                                                         \
       "Keys that there are not are passed over with a note instead of being refused: for "       \
       "a file that several programs share. To be set before them, which the command does "       \
       "by itself; what is known and refused stays refused. Java has no such key.")               \
    XX(LINGER, "linger.ms", NUMBER, "5",                                                          \
       "0 to 9223372036854775807", "ms",                                                          \
       "How long a batch that is not full waits for more records. Whole milliseconds, "           \
       "where librdkafka takes fractions.")                                                       \
    XX(MAX_BLOCK, "max.block.ms", NUMBER, "60000",                                                \
       "0 to 9223372036854775807", "ms",                                                          \
       "How long records wait for a topic that no broker has told of yet. Nothing blocks "        \
       "here; they are reported as failed then.")                                                 \
    XX(IN_FLIGHT, "max.in.flight.requests.per.connection", NUMBER, "5",                           \
       "1 to 2147483647", "",                                                                     \
       "Unanswered requests of a connection. At most 5 with enable.idempotence; without "         \
       "it, more than 1 lets a batch that is sent again come behind a later one.")                \
    XX(RECORD_MAX, "max.request.size", NUMBER, "1048576",                                         \
       "1 to 2147483647", "bytes",                                                                \
       "Bytes of the largest record and of the largest batch, before compression. Brokers "       \
       "and topics have limits of their own: message.max.bytes, max.message.bytes.")              \
    XX(METADATA_MAX_AGE, "metadata.max.age.ms", NUMBER, "300000",                                 \
       "0 to 9223372036854775807", "ms",                                                          \
       "What is known of topics and brokers is asked for anew at least this often. Java's "       \
       "meaning: librdkafka's key of this name says when what is known is forgotten, and "        \
       "its topic.metadata.refresh.interval.ms is this one.")                                     \
    XX(METADATA_MAX_IDLE, "metadata.max.idle.ms", NUMBER, "300000",                               \
       "5000 to 9223372036854775807", "ms",                                                       \
       "A topic that nothing was sent to for this long is not asked about any more, and "         \
       "what is known of its partitions is given back; the next record for it waits for "         \
       "an answer first.")                                                                        \
    XX(REBOOTSTRAP, "metadata.recovery.rebootstrap.trigger.ms", NUMBER, "300000",                 \
       "0 to 9223372036854775807", "ms",                                                          \
       "With metadata.recovery.strategy=rebootstrap: when questions for metadata have "           \
       "brought nothing for so long, all begins anew with bootstrap.servers, once in a "          \
       "second at most.")                                                                         \
    XX(RECOVERY, "metadata.recovery.strategy", CHOICE, "rebootstrap",                             \
       "none, rebootstrap", "",                                                                   \
       "When no known broker can be reached: rebootstrap forgets them and begins anew "           \
       "with bootstrap.servers, their names resolved anew; none goes on trying the known "        \
       "ones.")                                                                                   \
    XX(ADAPTIVE, "partitioner.adaptive.partitioning.enable", BOOL, "true",                        \
       "true, false", "",                                                                         \
       "Records without a key go less often to partitions where more batches wait.")              \
    XX(AVAILABILITY, "partitioner.availability.timeout.ms", NUMBER, "0",                          \
       "0 to 9223372036854775807", "ms",                                                          \
       "Records without a key keep away from brokers that had something to take for so "          \
       "long and took nothing; 0: from none. Only with "                                          \
       "partitioner.adaptive.partitioning.enable.")                                               \
    XX(PARTITIONER, "partitioner.class", PARTITIONER, "sticky",                                   \
       "sticky, uniform_sticky, round_robin, random, consistent, consistent_random, "             \
       "murmur2, murmur2_random, fnv1a, fnv1a_random, sarama_hash, sarama_reference", "",         \
       "Where records go. sticky, Java's default: by murmur2 of the key, without a key to "        \
       "one partition until 16 KiB are there, then to another; uniform_sticky: never by "         \
       "the key; round_robin, random: each record, whatever its key. librdkafka's: CRC-32 "       \
       "(consistent), murmur2 or FNV-1a of the key, without a key as for an empty one, or "       \
       "with _random like sticky; sarama_hash and sarama_reference are sarama's FNV-1a. "         \
       "Java's names of classes (RoundRobinPartitioner, DefaultPartitioner, "                     \
       "UniformStickyPartitioner) mean these too.")                                               \
    XX(IGNORE_KEYS, "partitioner.ignore.keys", BOOL, "false",                                     \
       "true, false", "",                                                                         \
       "Records with a key are spread like those without one.")                                   \
    XX(RECEIVE_BUFFER, "receive.buffer.bytes", NUMBER, "-1",                                      \
       "-1 to 2147483647", "bytes",                                                               \
       "SO_RCVBUF of each socket. -1 or 0: the system chooses, which does better than "           \
       "Java's 32768.")                                                                           \
    XX(RECEIVE_MEMORY, "receive.memory", NUMBER, "67108864",                                      \
       "1024 to 9223372036854775807", "bytes",                                                    \
       "Bytes that the receive buffers of all connections may take together; reading "            \
       "pauses beyond. 2 KiB of each connection do not count. At least "                          \
       "receive.message.max.bytes; the default follows it. Java has no such key.")                 \
    XX(RECEIVE_MAX, "receive.message.max.bytes", NUMBER, "33554432",                              \
       "1024 to 2147483647", "bytes",                                                             \
       "A longer answer closes its connection. Java has no such key.")                            \
    XX(RECONNECT_MAX, "reconnect.backoff.max.ms", NUMBER, "1000",                                 \
       "0 to 9223372036854775807", "ms",                                                          \
       "The longest pause between attempts to connect to a broker. If only "                      \
       "reconnect.backoff.ms is set, that is the longest pause too.")                             \
    XX(RECONNECT, "reconnect.backoff.ms", NUMBER, "50",                                           \
       "0 to 9223372036854775807", "ms",                                                          \
       "The pause after the first failed attempt to connect; doubles with each further "          \
       "one.")                                                                                    \
    XX(REQUEST_MAX, "request.bytes.max", NUMBER, "16777216",                                      \
       "1 to 2147483647", "bytes",                                                                \
       "Bytes of a request that carries batches of many partitions. At least "                    \
       "max.request.size; the default follows it. Brokers refuse more than their "                 \
       "socket.request.max.bytes. Java has no such key.")                                         \
    XX(REQUEST_TIMEOUT, "request.timeout.ms", NUMBER, "30000",                                    \
       "1 to 2147483647", "ms",                                                                   \
       "A connection whose request has no answer after this time is closed, and its "             \
       "requests are tried again; brokers are told it as the time to wait for replicas. "         \
       "Java's meaning: librdkafka's key of this name is for the replicas alone, and its "        \
       "socket.timeout.ms is this one.")                                                          \
    XX(RETRIES, "retries", NUMBER, "2147483647",                                                  \
       "0 to 2147483647", "",                                                                     \
       "How often a batch is sent again. delivery.timeout.ms is the better limit; 0 rules "       \
       "out enable.idempotence.")                                                                 \
    XX(RETRY_MAX, "retry.backoff.max.ms", NUMBER, "1000",                                         \
       "0 to 9223372036854775807", "ms",                                                          \
       "The longest pause before a batch or a question for metadata is sent again. The "          \
       "default follows retry.backoff.ms where that is longer.")                                   \
    XX(RETRY, "retry.backoff.ms", NUMBER, "100",                                                  \
       "0 to 9223372036854775807", "ms",                                                          \
       "The pause before something is sent for the second time; doubles with each further "       \
       "one.")                                                                                    \
    XX(JAAS, "sasl.jaas.config", SECRET, "",                                                      \
       "up to 1 MiB", "",                                                                         \
       "Credentials in Java's form: MODULE required OPTIONS; where MODULE is "                    \
       "PlainLoginModule, ScramLoginModule or OAuthBearerLoginModule, and OPTIONS are "           \
       "such as username and password. Instead of sasl.username and sasl.password.")              \
    XX(LOGIN_BUFFER, "sasl.login.refresh.buffer.seconds", NUMBER, "300",                          \
       "0 to 3600", "s",                                                                          \
       "A token is replaced at least so long before it expires, if it lives long "                \
       "enough for that and for sasl.login.refresh.min.period.seconds.")                          \
    XX(LOGIN_PERIOD, "sasl.login.refresh.min.period.seconds", NUMBER, "60",                       \
       "0 to 900", "s",                                                                           \
       "A token is not replaced earlier than so long after it came, if it lives long "            \
       "enough for that and for sasl.login.refresh.buffer.seconds.")                              \
    XX(LOGIN_FACTOR, "sasl.login.refresh.window.factor", FRACTION, "0.8",                         \
       "0.5 to 1", "",                                                                            \
       "The part of a token's life after which it is replaced.")                                  \
    XX(LOGIN_JITTER, "sasl.login.refresh.window.jitter", FRACTION, "0.05",                        \
       "0 to 0.25", "",                                                                           \
       "At random up to this part of a token's life is added to "                                 \
       "sasl.login.refresh.window.factor, so that not all producers ask at once.")                \
    XX(MECHANISM, "sasl.mechanism", CHOICE, "",                                                   \
       "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER; no GSSAPI (Kerberos)", "",              \
       "How the producer shows who it is, with a security.protocol of SASL. There is "            \
       "no default; Java's is GSSAPI.")                                                           \
    XX(OAUTH_CONFIG, "sasl.oauthbearer.config", SECRET, "",                                       \
       "up to 1 MiB", "",                                                                         \
       "What unsecured tokens are made of, with enable.sasl.oauthbearer.unsecure.jwt: "           \
       "principal=NAME and, with blanks between, scope, lifeSeconds, extension_NAME. A "          \
       "name of librdkafka's.")                                                                   \
    XX(TOKEN_URL, "sasl.oauthbearer.token.endpoint.url", TEXT, "",                                \
       "file:///PATH", "",                                                                        \
       "A file that something else keeps a token in; it is read whenever a token is "             \
       "wanted. From elsewhere a program fetches its tokens itself: kloop_on_token().")           \
    XX(PASSWORD, "sasl.password", SECRET, "",                                                     \
       "up to 1 MiB", "",                                                                         \
       "The password for PLAIN and SCRAM. A name of librdkafka's.")                               \
    XX(SCRAM_ITERATIONS, "sasl.scram.iterations.max", NUMBER, "1000000",                          \
       "4096 to 2147483647", "",                                                                  \
       "A broker that wants a password hashed more often than this, or less often than "          \
       "4096 times, is refused. Java has no such key.")                                           \
    XX(USERNAME, "sasl.username", TEXT, "",                                                       \
       "UTF-8 of at most 32767 bytes", "",                                                        \
       "The name for PLAIN and SCRAM. A name of librdkafka's.")                                   \
    XX(SECURITY, "security.protocol", CHOICE, "PLAINTEXT",                                        \
       "PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL", "",                                            \
       "How brokers are talked to: SSL is TLS, SASL shows them who the producer is. "             \
       "What is not encrypted can be read on the way. In any case.")                              \
    XX(SEND_BUFFER, "send.buffer.bytes", NUMBER, "-1",                                            \
       "-1 to 2147483647", "bytes",                                                               \
       "SO_SNDBUF of each socket. -1 or 0: the system chooses, which does better than "           \
       "Java's 131072.")                                                                          \
    XX(SETUP_MAX, "socket.connection.setup.timeout.max.ms", NUMBER, "30000",                      \
       "1 to 9223372036854775807", "ms",                                                          \
       "The longest time for one attempt to connect. The default follows "                         \
       "socket.connection.setup.timeout.ms where that is longer.")                                \
    XX(SETUP, "socket.connection.setup.timeout.ms", NUMBER, "10000",                              \
       "1 to 9223372036854775807", "ms",                                                          \
       "The time for the first attempt to connect until the broker can be talked to; "            \
       "doubles with each failure.")                                                              \
    XX(KEEPALIVE, "socket.keepalive.enable", BOOL, "true",                                        \
       "true, false", "",                                                                         \
       "Idle connections are probed by the system, so that nothing on the way forgets "           \
       "them, and one that is gone is noticed. A name of librdkafka's, whose default is "          \
       "false.")                                                                                  \
    XX(KEEPALIVE_IDLE, "socket.keepalive.idle.ms", NUMBER, "60000",                               \
       "0 to 32767000", "ms",                                                                     \
       "The first probe goes out after so long without traffic, in whole seconds, then "          \
       "one each 10 s; the third in vain ends the connection. Well below the four minutes "       \
       "after which load balancers of clouds forget a connection; 0: the system's values, "       \
       "two hours mostly.")                                                                       \
    XX(CERTIFICATE_FILE, "ssl.certificate.location", TEXT, "",                                    \
       "a path", "",                                                                              \
       "A PEM file with the producer's own certificate and those between it and the "             \
       "CA; its key is ssl.key.location. A name of librdkafka's.")                                \
    XX(CIPHERS, "ssl.cipher.suites", TEXT, "",                                                    \
       "names with commas or colons", "",                                                         \
       "Suites that may be used, by Java's names or OpenSSL's; without any: OpenSSL's "           \
       "own choice.")                                                                             \
    XX(CURVES, "ssl.curves.list", TEXT, "",                                                       \
       "names with colons", "",                                                                   \
       "Groups for the exchange of keys, best first, as OpenSSL names them. A name of "           \
       "librdkafka's.")                                                                           \
    XX(TLS_VERSIONS, "ssl.enabled.protocols", CHOICES, "TLSv1.2,TLSv1.3",                         \
       "TLSv1.2, TLSv1.3; or both. Older ones can be broken", "",                                 \
       "Versions of TLS that may be spoken, with a comma between two.")                           \
    XX(HOST_CHECK, "ssl.endpoint.identification.algorithm", CHOICE, "https",                      \
       "https, none", "",                                                                         \
       "With https a certificate must be for the name or address that the broker is "             \
       "reached by. With none, or nothing at all, whoever has any certificate of the "            \
       "CA can pass for the broker. In any case.")                                                \
    XX(KEY_FILE, "ssl.key.location", TEXT, "",                                                    \
       "a path", "",                                                                              \
       "A PEM file with the key of ssl.certificate.location. A name of librdkafka's.")            \
    XX(KEY_PASSWORD, "ssl.key.password", SECRET, "",                                              \
       "up to 1 MiB", "",                                                                         \
       "The password of the producer's key, where that is encrypted.")                            \
    XX(CERTIFICATE_PEM, "ssl.keystore.certificate.chain", PEM, "",                                \
       "PEM up to 1 MiB", "",                                                                     \
       "The producer's own certificate and those between it and the CA, as text; its "            \
       "key is ssl.keystore.key.")                                                                \
    XX(KEY_PEM, "ssl.keystore.key", SECRET_PEM, "",                                               \
       "PEM up to 1 MiB", "",                                                                     \
       "The key of ssl.keystore.certificate.chain, as text.")                                     \
    XX(KEYSTORE, "ssl.keystore.location", TEXT, "",                                               \
       "a path", "",                                                                              \
       "A file with the producer's own certificate and its key, PEM or PKCS12.")                  \
    XX(KEYSTORE_PASSWORD, "ssl.keystore.password", SECRET, "",                                    \
       "up to 1 MiB", "",                                                                         \
       "The password of ssl.keystore.location, for PKCS12.")                                      \
    XX(KEYSTORE_TYPE, "ssl.keystore.type", CHOICE, "",                                            \
       "PEM, PKCS12; of JKS: keytool -importkeystore -srckeystore OLD -destkeystore "             \
       "NEW -deststoretype PKCS12", "",                                                           \
       "What ssl.keystore.location is; without it that shows in the file, so that a "             \
       "file of Java's default, JKS, is refused when it is read.")                                \
    XX(TLS_VERSION, "ssl.protocol", CHOICE, "TLSv1.3",                                            \
       "TLS, TLSv1.2, TLSv1.3", "",                                                               \
       "With TLSv1.2 no newer version is spoken, whatever ssl.enabled.protocols says.")           \
    XX(SIGALGS, "ssl.sigalgs.list", TEXT, "",                                                     \
       "names with colons", "",                                                                   \
       "Algorithms of signatures, best first, as OpenSSL names them. A name of "                  \
       "librdkafka's.")                                                                           \
    XX(CA_PEM, "ssl.truststore.certificates", PEM, "",                                            \
       "PEM up to 1 MiB", "",                                                                     \
       "Certificates of the CAs that are trusted, as text.")                                      \
    XX(CA, "ssl.truststore.location", TEXT, "",                                                   \
       "a path", "",                                                                              \
       "A file with certificates of the CAs that are trusted, PEM or PKCS12, or a "               \
       "directory of them as OpenSSL wants it. Without it and "                                   \
       "ssl.truststore.certificates: those that the system trusts.")                              \
    XX(CA_PASSWORD, "ssl.truststore.password", SECRET, "",                                        \
       "up to 1 MiB", "",                                                                         \
       "The password of ssl.truststore.location, for PKCS12.")                                    \
    XX(CA_TYPE, "ssl.truststore.type", CHOICE, "",                                                \
       "PEM, PKCS12; of JKS: keytool -importkeystore -srckeystore OLD -destkeystore "             \
       "NEW -deststoretype PKCS12", "",                                                           \
       "What ssl.truststore.location is; without it that shows in the file, so that a "           \
       "file of Java's default, JKS, is refused when it is read.")                                \
    XX(WARN_AT_EXIT, "warn.at.exit", BOOL, "true",                                                \
       "true, false", "",                                                                         \
       "Is there a line on stderr when the program ends while records are neither "               \
       "reported nor given up? Java has no such key.")

/*
 * Other names of them, librdkafka's: XX(name, ID, unit, remark), sorted by name. unit is what one
 * of it is in the key's own unit. Where Java and librdkafka mean different things by one name
 * (request.timeout.ms, metadata.max.age.ms, connections.max.idle.ms=0), it has Java's meaning and
 * is not listed here.
 */
#define KLOOP_CONFIG_ALIASES(XX)                                                                  \
    XX("compression.codec", CODEC, 1, "")                                                         \
    XX("max.in.flight", IN_FLIGHT, 1, "")                                                         \
    XX("message.max.bytes", RECORD_MAX, 1,                                                        \
       "Of a record and of a batch, not of a request.")                                           \
    XX("message.send.max.retries", RETRIES, 1, "")                                                \
    XX("message.timeout.ms", DELIVERY_TIMEOUT, 1, "0, no limit there, is not taken.")             \
    XX("metadata.broker.list", BOOTSTRAP, 1, "Each with its port.")                               \
    XX("partitioner", PARTITIONER, 1, "The default is not librdkafka's consistent_random.")        \
    XX("queue.buffering.max.kbytes", MEMORY, 1024, "Units of 1024 bytes.")                        \
    XX("queue.buffering.max.ms", LINGER, 1, "Whole milliseconds.")                                \
    XX("request.required.acks", ACKS, 1, "")                                                      \
    XX("sasl.mechanisms", MECHANISM, 1, "One of them, whatever its name says.")                   \
    XX("socket.receive.buffer.bytes", RECEIVE_BUFFER, 1, "")                                      \
    XX("socket.send.buffer.bytes", SEND_BUFFER, 1, "")                                            \
    XX("socket.timeout.ms", REQUEST_TIMEOUT, 1, "Brokers are told it too.")                       \
    XX("ssl.ca.location", CA, 1, "`probe` is the same as to leave it out.")                       \
    XX("ssl.ca.pem", CA_PEM, 1, "")                                                               \
    XX("ssl.certificate.pem", CERTIFICATE_PEM, 1, "")                                             \
    XX("ssl.key.pem", KEY_PEM, 1, "")                                                             \
    XX("topic.metadata.refresh.interval.ms", METADATA_MAX_AGE, 1,                                 \
       "-1, never there, is not taken.")
/* clang-format on */

#endif
