/* SPDX-License-Identifier: BSD-2-Clause */
/* Handles with generations. See slots.h. */
#include "core/slots.h"

static bool grow(kloop_engine *e)
{
    uint32_t cap = e->slot_cap ? e->slot_cap * 2 : 8;
    kl_slot *slots =
        kl_mem_resize(&e->alloc, e->slots, e->slot_cap * sizeof *slots, cap * sizeof *slots);
    if (!slots)
        return false;
    e->slots = slots;
    e->slot_cap = cap;
    return true;
}

kloop_id kl_slots_take(kloop_engine *e, kl_conn *conn, kl_broker *broker)
{
    uint32_t index;
    if (e->slot_free) {
        index = e->slot_free - 1;
        e->slot_free = e->slots[index].next_free;
    } else {
        if (e->slot_count == e->slot_cap && !grow(e))
            return (kloop_id){0, 0};
        index = e->slot_count++;
        e->slots[index].gen = 1;
    }
    kl_slot *slot = &e->slots[index];
    slot->conn = conn;
    slot->broker = broker;
    e->slots_used++;
    return (kloop_id){index, slot->gen};
}

void kl_slots_give_back(kloop_engine *e, kloop_id id)
{
    KL_ASSERT(id.slot < e->slot_count && e->slots[id.slot].gen == id.gen);
    kl_slot *slot = &e->slots[id.slot];
    slot->conn = NULL;
    slot->broker = NULL;
    if (++slot->gen == 0)
        slot->gen = 1;
    slot->next_free = e->slot_free;
    e->slot_free = id.slot + 1;
    e->slots_used--;
}

static const kl_slot *find(const kloop_engine *e, kloop_id id)
{
#ifdef KL_PLANT_ANSWER_ACROSS_INCARNATIONS
    if (id.slot < e->slot_count)
        return &e->slots[id.slot];
#endif
    if (id.slot >= e->slot_count || e->slots[id.slot].gen != id.gen)
        return NULL;
    return &e->slots[id.slot];
}

kl_conn *kl_slots_conn(const kloop_engine *e, kloop_id id)
{
    const kl_slot *slot = find(e, id);
    return slot ? slot->conn : NULL;
}

kl_broker *kl_slots_broker(const kloop_engine *e, kloop_id id)
{
    const kl_slot *slot = find(e, id);
    return slot ? slot->broker : NULL;
}
