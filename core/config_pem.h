/* SPDX-License-Identifier: BSD-2-Clause */
/* Certificates and keys as text in the value of a key, which may have lost its lines on the way
 * there. Nothing is owned, nothing fails. */
#ifndef KL_CORE_CONFIG_PEM_H
#define KL_CORE_CONFIG_PEM_H

#include <stddef.h>

/*
 * Gives text its lines back, in place and terminated as before: \n of two characters ends one, as
 * from variables of the environment; where there is no end of a line at all each blank is one, as
 * from a file of properties whose lines were continued, but for those in BEGIN and END. Answers the
 * length, which is no greater.
 */
size_t kl_config_pem_lines(char *text, size_t len);

#endif
