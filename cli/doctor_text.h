/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the doctor has found, for people: a line for each step, aligned, and what to do below it. On
 * a terminal signs and colours as it can, and lines that are broken between words.
 *
 * Nothing is owned. Writing fails as stdio does; the caller looks at the stream.
 */
#ifndef KL_CLI_DOCTOR_TEXT_H
#define KL_CLI_DOCTOR_TEXT_H

#include "cli/doctor_report.h"
#include "cli/terminal.h"

#include <stdio.h>

/* quiet: only what is not ok; nothing of a group where all is. */
void kl_doctor_text_group(const kl_doctor_group *g, const kl_terminal *terminal, bool quiet,
                          FILE *to);
/* One sentence on all of it. */
void kl_doctor_text_sum(const kl_doctor_report *r, FILE *to);

#endif
