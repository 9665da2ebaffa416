/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Assertions that stay on in release builds. They guard against mistakes of the program itself;
 * what comes from the network or from a caller's data is never asserted but answered with an error.
 *
 * The library prints nothing. A host that wants to see the text before the abort sets
 * kl_check_hook; the command and the tests do.
 */
#ifndef KL_BASE_CHECK_H
#define KL_BASE_CHECK_H

typedef void (*kl_check_fn)(const char *file, int line, const char *what);

/*
 * Called once before abort(). May be NULL. It is the whole process's and read without a lock: set
 * it before any loop runs, and do not change it while one does.
 */
extern kl_check_fn kl_check_hook;

_Noreturn __attribute__((cold)) void kl_check_failed(const char *file, int line, const char *what);

/* Releases tell the line alone: the words of all assertions are some kilobytes of a small library.
 */
#ifndef NDEBUG
#define KL_CHECK_WORDS(text) text
#else
#define KL_CHECK_WORDS(text) "assertion"
#endif

#define KL_ASSERT(cond)                                                                            \
    (__builtin_expect(!(cond), 0) ? kl_check_failed(__FILE__, __LINE__, KL_CHECK_WORDS(#cond))     \
                                  : (void)0)

#define KL_UNREACHABLE() kl_check_failed(__FILE__, __LINE__, "unreachable")

#define KL_LIKELY(x)     __builtin_expect(!!(x), 1)
#define KL_UNLIKELY(x)   __builtin_expect(!!(x), 0)

/* For the few functions whose constant arguments have to melt away at each call, whatever the
 * optimiser thinks. */
#ifndef KLOOP_COUNT_BRANCHES
#define KL_INLINE static inline __attribute__((always_inline))
#else
/* When branches are counted, one copy of each: a branch is not taken less for standing in thirty
 * places. */
#define KL_INLINE static inline
#endif

#endif
