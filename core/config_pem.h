/* SPDX-License-Identifier: BSD-2-Clause */
/* Certificates and keys as text in the value of a key, which may have lost its lines on the way
 * there. Nothing is owned, nothing fails. */
#ifndef KL_CORE_CONFIG_PEM_H
#define KL_CORE_CONFIG_PEM_H

#include <kloop/types.h>

#include <stddef.h>

/*
 * Copies the text and gives it its lines back: \n of two characters ends one, as from variables of
 * the environment; where there is no end of a line at all, blanks are, and the edges of BEGIN and
 * END, as from a file of properties whose lines were continued. Answers the length of what is in
 * to, which is terminated; there has to be room for KL_CONFIG_PEM_SIZE(from.len).
 */
size_t kl_config_pem_lines(kloop_string from, char *to);

#define KL_CONFIG_PEM_SIZE(len) (2 * (len) + 1)

#endif
