/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the doctor has found, for machines: one JSON object on one line. Its names are described in
 * the command's documentation, and stay.
 *
 * Appends to the caller's buffer, whose failure is sticky.
 */
#ifndef KL_CLI_DOCTOR_JSON_H
#define KL_CLI_DOCTOR_JSON_H

#include "base/buf.h"
#include "cli/doctor.h"

void kl_doctor_json_append(const kl_doctor *d, int exit_code, kl_buf *out);

#endif
