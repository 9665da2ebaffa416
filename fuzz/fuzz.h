/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every fuzz target stands on.
 *
 * A target is a file fuzz_NAME.c with LLVMFuzzerTestOneInput. It is more than "does not crash":
 * each one knows what must be true of its input (a round trip, a naive second opinion, a bound on
 * memory) and says so with KL_FUZZ_CHECK, which prints the broken condition and aborts, so that any
 * engine sees a crash.
 *
 * No target keeps anything from one input to the next.
 */
#ifndef KL_FUZZ_FUZZ_H
#define KL_FUZZ_FUZZ_H

#include <kloop/fault.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* Called once by libFuzzer and by standalone.c. */
int LLVMFuzzerInitialize(int *argc, char ***argv);

_Noreturn void kl_fuzz_failed(const char *file, int line, const char *what);
#define KL_FUZZ_CHECK(cond) ((cond) ? (void)0 : kl_fuzz_failed(__FILE__, __LINE__, #cond))

/* The call must have answered KLOOP_OK; its fault is printed if not. */
void kl_fuzz_fine_at(kloop_status status, const kloop_fault *fault, const char *file, int line);
#define KL_FUZZ_FINE(status, fault) kl_fuzz_fine_at((status), (fault), __FILE__, __LINE__)

/* A fault that was answered to len bytes: it lies within them and has words. */
void kl_fuzz_fault_at(const kloop_fault *fault, size_t len, const char *file, int line);
#define KL_FUZZ_FAULT(fault, len) kl_fuzz_fault_at((fault), (len), __FILE__, __LINE__)

/*
 * A number made of the whole input. Its bits choose which of the expensive checks this input gets,
 * so that an input that failed once fails again.
 */
uint32_t kl_fuzz_hash(const uint8_t *data, size_t size);

/*
 * Tells libFuzzer that something new may have been seen: inputs that reach another number are kept
 * even if they ran through the same code. The walk is one piece of code for all messages, so a
 * target says here which message it was.
 */
void kl_fuzz_feature(uint32_t number);

/* How often malloc was called so far. Counted where a sanitizer can tell, 0 for ever elsewhere. */
size_t kl_fuzz_malloc_calls(void);

/* A copy in a block of exactly its size, so that the sanitizer sees a look beyond; give it to
 * free(). */
void *kl_fuzz_exact_copy(const void *data, size_t size);
/* The same without content. */
void *kl_fuzz_exact_room(size_t size);

#endif
