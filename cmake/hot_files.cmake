# SPDX-License-Identifier: BSD-2-Clause
#
# The shared libraries of a release are built for size, all but these files: what every record and every batch goes through.
# Elsewhere -Os saves a third of the code and little of the speed; here it costs a third of it (bench_engine under callgrind).
# Debug builds, and whoever chooses other flags than those of CMAKE_BUILD_TYPE=Release, are not touched.
set(KLOOP_HOT_FILES
    base/chain.c
    base/crc32c.c
    base/crc32c_x86.c
    base/heap.c
    base/mem.c
    base/segment.c
    base/slab.c
    codecs/snappy_compress.c
    codecs/xxh32.c
    core/accumulator.c
    core/batch.c
    core/budget.c
    core/idempotence.c
    core/meters.c
    core/readiness.c
    core/sender.c
    protocol/record.c
    protocol/record_batch.c
    protocol/record_error.c
    protocol/walk.c
    protocol/walk_read.c
)
