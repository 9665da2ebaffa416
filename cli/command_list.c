/* SPDX-License-Identifier: BSD-2-Clause */
/* See command_list.h. A new command is a new line. */
#include "cli/command_list.h"

#include "cli/completion_command.h"
#include "cli/doctor_command.h"
#include "cli/manual_command.h"
#include "cli/meta_command.h"
#include "cli/perf_command.h"
#include "cli/produce_command.h"
#include "cli/sink_command.h"
#include "cli/wire_command.h"

const kl_command *const kl_commands[] = {
    &kl_produce_command, &kl_perf_command, &kl_sink_command,       &kl_meta_command,
    &kl_doctor_command,  &kl_wire_command, &kl_completion_command, &kl_manual_command,
};

const size_t kl_command_count = sizeof kl_commands / sizeof kl_commands[0];

const char kl_kloop_about[] = "A Kafka producer for the command line: it sends records, measures, "
                              "plays the broker, and shows\n"
                              "what goes over the wire.\n";

const char kl_kloop_examples[] =
    "kloop perf --sink --num-records 100000 --record-size 100\n"
    "kloop wire apis\n"
    "echo 'ApiVersions 3 request 066b6c6f6f7006302e312e3000' | kloop wire decode\n";
