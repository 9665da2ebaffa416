/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A page of docs/ that a program writes from the tables of the code:
 *
 *     NAME_page > docs/NAME.md
 *     NAME_page --check docs/NAME.md     does the file say the same? Exit code 1 if not
 *
 * One page a program, in static memory that grows; without memory main ends with 2.
 */
#ifndef KL_TESTS_DOCS_PAGE_H
#define KL_TESTS_DOCS_PAGE_H

void page_put(const char *text);
/* At most 4 KiB. */
void page_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The whole program: write puts the page. */
int page_main(int argc, char **argv, void (*write)(void));

#endif
