/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a configuration was told and has no use for: names of other clients that have no effect
 * here, and unknown ones that are to be passed over. kloop_config_note() makes sentences of them.
 *
 * Names are copies, owned by the notes. Only adding one can fail, for want of memory, and leaves
 * all as it was.
 */
#ifndef KL_CORE_CONFIG_NOTES_H
#define KL_CORE_CONFIG_NOTES_H

#include "core/config_strangers.h"

typedef struct kl_config_noted {
    char *name; /* terminated */
    size_t len;
    const kl_config_strangers *row; /* NULL: nobody knows the name */
} kl_config_noted;

typedef struct kl_config_notes {
    kl_config_noted *list; /* each name once */
    size_t count;
} kl_config_notes;

/* false: no memory. */
bool kl_config_notes_add(kl_config_notes *notes, const kloop_allocator *alloc, const char *name,
                         const kl_config_strangers *row);
void kl_config_notes_deinit(kl_config_notes *notes, const kloop_allocator *alloc);

#endif
