/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * KLOOP_API marks what the library shows; everything else is hidden. The version is written here
 * once: the build, the package files and the command read it from this file.
 */
#ifndef KLOOP_EXPORT_H
#define KLOOP_EXPORT_H

#define KLOOP_VERSION_MAJOR 0
#define KLOOP_VERSION_MINOR 1
#define KLOOP_VERSION_PATCH 0
#define KLOOP_VERSION       "0.1.0"
/* 0xMMmmpp, for #if. */
#define KLOOP_VERSION_HEX 0x000100

#if defined(__GNUC__)
#define KLOOP_API __attribute__((visibility("default")))
#else
#define KLOOP_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the library that was loaded, which may differ from the header's. */
KLOOP_API const char *kloop_version(void);

#ifdef __cplusplus
}
#endif

#endif
