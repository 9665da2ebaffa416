/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One member of a JSON object, for the two that SASL meets: the claims of a token, and a broker's
 * reason to refuse one. It looks at as much of the text as it needs, to any depth without calling
 * itself; it is no judge of JSON, and does not undo escapes in names.
 *
 * Views point into the text. Nothing is owned; what is not there, or cannot be made sense of, is
 * answered with false.
 */
#ifndef KL_SASL_JSON_MEMBER_H
#define KL_SASL_JSON_MEMBER_H

#include <kloop/types.h>

#include <stdbool.h>

/* The value of the object's own member of this name, the last one if there are several, as it
 * stands there: a string has its quotes. */
bool kl_json_member_find(kloop_string object, const char *name, kloop_string *value);

/* What stands between the quotes of a string, escapes and all. */
bool kl_json_member_string(kloop_string value, kloop_string *content);

/* A number of seconds as whole milliseconds: 0 for a negative one, KLOOP_NEVER for one that does
 * not fit. */
bool kl_json_member_ms(kloop_string value, uint64_t *ms);

#endif
