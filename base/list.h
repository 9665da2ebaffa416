/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Doubly linked lists whose links lie in the things that are listed.
 *
 *        kl_list            kl_link in A        kl_link in B
 *     +----------+         +----------+        +----------+
 *  +->|   ends   | <-----> |          | <----> |          | <-+
 *  |  +----------+         +----------+        +----------+   |
 *  +----------------------------------------------------------+
 *
 * A list owns nothing: whoever owns A takes its link out before A goes. The ring runs through the
 * list itself, so a list with links in it must stay where it is. A link is in one list at most; one
 * that is in none is all zero, so zeroed memory holds links that are good to use. Putting in a link
 * that is in a list, or taking out one that is not, is a mistake that is caught.
 *
 * Nothing fails and all is O(1). To walk a list:
 *
 *     for (kl_link *l = kl_list_first(list); l; l = kl_list_next(list, l))
 *
 * and where the body takes out the link it has, it asks for the next one first.
 */
#ifndef KL_BASE_LIST_H
#define KL_BASE_LIST_H

#include "base/check.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct kl_link {
    struct kl_link *prev;
    struct kl_link *next;
} kl_link;

typedef struct kl_list {
    kl_link ends; /* next is the first link, prev the last; both itself when the list is empty */
} kl_list;

/*
 * The thing of this type whose member is at ptr, which must not be NULL. The part in sizeof is
 * never computed: it lets the compiler complain when ptr points to something else than such a
 * member.
 */
#define KL_CONTAINER_OF(ptr, type, member)                                                         \
    ((type *)(void *)((char *)(ptr)-offsetof(type, member) -                                       \
                      0 * sizeof((ptr) == &((type *)0)->member)))

static inline void kl_link_init(kl_link *link)
{
    link->prev = NULL;
    link->next = NULL;
}

static inline bool kl_link_is_linked(const kl_link *link)
{
    return link->next != NULL;
}

static inline void kl_list_init(kl_list *list)
{
    list->ends.prev = &list->ends;
    list->ends.next = &list->ends;
}

static inline bool kl_list_is_empty(const kl_list *list)
{
    return list->ends.next == &list->ends;
}

/* In front of at, which is in a list. */
static inline void kl_list_insert_before(kl_link *at, kl_link *link)
{
    KL_ASSERT(kl_link_is_linked(at));
    KL_ASSERT(!kl_link_is_linked(link));
    link->prev = at->prev;
    link->next = at;
    at->prev->next = link;
    at->prev = link;
}

/* Behind at, which is in a list. */
static inline void kl_list_insert_after(kl_link *at, kl_link *link)
{
    KL_ASSERT(kl_link_is_linked(at));
    kl_list_insert_before(at->next, link);
}

static inline void kl_list_push_back(kl_list *list, kl_link *link)
{
    kl_list_insert_before(&list->ends, link);
}

static inline void kl_list_push_front(kl_list *list, kl_link *link)
{
    kl_list_insert_after(&list->ends, link);
}

/* Out of whichever list it is in. */
static inline void kl_list_remove(kl_link *link)
{
    KL_ASSERT(kl_link_is_linked(link));
    link->prev->next = link->next;
    link->next->prev = link->prev;
    kl_link_init(link);
}

/* The same, if it is in one. */
static inline void kl_list_drop(kl_link *link)
{
    if (kl_link_is_linked(link))
        kl_list_remove(link);
}

/* NULL when the list is empty. */
static inline kl_link *kl_list_first(const kl_list *list)
{
    return kl_list_is_empty(list) ? NULL : list->ends.next;
}

/* NULL when the list is empty. */
static inline kl_link *kl_list_last(const kl_list *list)
{
    return kl_list_is_empty(list) ? NULL : list->ends.prev;
}

/* The one behind link, which is in this list; NULL behind the last. */
static inline kl_link *kl_list_next(const kl_list *list, const kl_link *link)
{
    KL_ASSERT(kl_link_is_linked(link));
    return link->next == &list->ends ? NULL : link->next;
}

/* NULL before the first. */
static inline kl_link *kl_list_prev(const kl_list *list, const kl_link *link)
{
    return link->prev == &list->ends ? NULL : link->prev;
}

/* Takes out the first; NULL when the list is empty. */
static inline kl_link *kl_list_pop_front(kl_list *list)
{
    kl_link *link = kl_list_first(list);
    if (link)
        kl_list_remove(link);
    return link;
}

/* All links of from go behind those of to, in their order; from is empty then. Two different lists.
 */
static inline void kl_list_splice_back(kl_list *to, kl_list *from)
{
    KL_ASSERT(to != from);
    if (kl_list_is_empty(from))
        return;
    from->ends.next->prev = to->ends.prev;
    to->ends.prev->next = from->ends.next;
    from->ends.prev->next = &to->ends;
    to->ends.prev = from->ends.prev;
    kl_list_init(from);
}

#endif
