# SPDX-License-Identifier: BSD-2-Clause
#
# Finds the libraries that kloop stands on and gives them as kloop::zlib, kloop::lz4, kloop::zstd (what the engine needs),
# kloop::uv and kloop::cares (what the producer on a libuv loop needs beside them), kloop::ssl and kloop::crypto (OpenSSL, for
# TLS). The build reads this file, and so does whoever links an installed static library, so both look in the same places.
# What is not there is told in KLOOP_ENGINE_LIBRARIES_MISSING, KLOOP_LOOP_LIBRARIES_MISSING and KLOOP_TLS_LIBRARIES_MISSING;
# who needs it decides how bad that is.
#
# pkg-config first, since Debian's packages come without CMake files; without pkg-config, header and library by name.

function(_kloop_find_library missing name module header library package)
    if(TARGET kloop::${name})
        return()
    endif()
    string(TOUPPER KLOOP_${name} prefix)
    find_package(PkgConfig QUIET)
    if(PKG_CONFIG_FOUND)
        pkg_check_modules(${prefix} QUIET IMPORTED_TARGET GLOBAL ${module})
    endif()
    if(TARGET PkgConfig::${prefix})
        add_library(kloop::${name} INTERFACE IMPORTED GLOBAL)
        set_target_properties(kloop::${name} PROPERTIES INTERFACE_LINK_LIBRARIES PkgConfig::${prefix})
        return()
    endif()
    find_path(${prefix}_INCLUDE_DIR ${header})
    find_library(${prefix}_LIBRARY ${library})
    mark_as_advanced(${prefix}_INCLUDE_DIR ${prefix}_LIBRARY)
    if(${prefix}_INCLUDE_DIR AND ${prefix}_LIBRARY)
        add_library(kloop::${name} UNKNOWN IMPORTED GLOBAL)
        set_target_properties(kloop::${name} PROPERTIES
            IMPORTED_LOCATION ${${prefix}_LIBRARY}
            INTERFACE_INCLUDE_DIRECTORIES ${${prefix}_INCLUDE_DIR})
        return()
    endif()
    set(${missing} "${${missing}}kloop needs ${module}, which was not found: apt-get install ${package}\n" PARENT_SCOPE)
endfunction()

set(KLOOP_ENGINE_LIBRARIES_MISSING "")
_kloop_find_library(KLOOP_ENGINE_LIBRARIES_MISSING zlib zlib zlib.h z zlib1g-dev)
_kloop_find_library(KLOOP_ENGINE_LIBRARIES_MISSING lz4 liblz4 lz4frame.h lz4 liblz4-dev)
_kloop_find_library(KLOOP_ENGINE_LIBRARIES_MISSING zstd libzstd zstd.h zstd libzstd-dev)

set(KLOOP_LOOP_LIBRARIES_MISSING "")
_kloop_find_library(KLOOP_LOOP_LIBRARIES_MISSING uv libuv uv.h uv libuv1-dev)
_kloop_find_library(KLOOP_LOOP_LIBRARIES_MISSING cares libcares ares.h cares libc-ares-dev)

# Before 3.0 there was no openssl/core.h.
set(KLOOP_TLS_LIBRARIES_MISSING "")
_kloop_find_library(KLOOP_TLS_LIBRARIES_MISSING ssl "libssl>=3.0" openssl/core.h ssl libssl-dev)
_kloop_find_library(KLOOP_TLS_LIBRARIES_MISSING crypto "libcrypto>=3.0" openssl/core.h crypto libssl-dev)
