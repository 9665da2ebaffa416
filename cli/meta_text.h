/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A cluster's picture for people, in the lines of `kcat -L`; what kcat does not know stands at
 * their ends, and a ! before what is not as it should be.
 *
 * Nothing is owned. Writing fails as stdio does; the caller looks at the stream.
 */
#ifndef KL_CLI_META_TEXT_H
#define KL_CLI_META_TEXT_H

#include "cli/meta_picture.h"

#include <stdio.h>

void kl_meta_text_print(const kl_meta_picture *p, FILE *to);
/* One sentence on what needs attention; nothing if nothing does. */
void kl_meta_text_print_troubles(const kl_meta_picture *p, FILE *to);

#endif
