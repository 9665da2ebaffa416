/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A cluster's picture as one JSON object on one line, with the names of `kcat -L -J` and more.
 *
 * Appends to the caller's buffer, whose failure is sticky.
 */
#ifndef KL_CLI_META_JSON_H
#define KL_CLI_META_JSON_H

#include "cli/meta_picture.h"

/* version_max is the value of api.version.max. */
void kl_meta_json_append(const kl_meta_picture *p, const kl_meta_question *q,
                         const char *version_max, kl_buf *out);

#endif
