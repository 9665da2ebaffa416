# SPDX-License-Identifier: BSD-2-Clause
#
# The shared libraries of a release are built for size, all but these files: what every record and every batch goes through.
# Elsewhere -Oz saves a third of the code and little of the speed; here it costs a third of it (a program on the shared library
# under callgrind). What goes once for a request is not here: putting requests together and reading answers, five files, would be 7 KB
# for 3 instructions of a hundred where each record is a batch of its own, and for none in full batches.
# Debug builds, and whoever chooses other flags than those of CMAKE_BUILD_TYPE=Release, are not touched.
set(KLOOP_HOT_FILES
    base/chain.c
    base/crc32c.c
    base/crc32c_x86.c
    base/mem.c
    codecs/snappy_compress.c
    codecs/xxh32.c
    core/accumulator.c
    core/batch.c
    core/meters.c
    core/readiness.c
    protocol/record.c
    protocol/record_batch.c
    protocol/record_error.c
)
