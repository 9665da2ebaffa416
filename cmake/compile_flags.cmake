# SPDX-License-Identifier: BSD-2-Clause
#
# What our own files are compiled with. Nothing here touches CMAKE_C_FLAGS or a project around us.
#   kloop_warnings    the warnings of the house
#   kloop_instrument  sanitizers and coverage, for compiling and linking
add_library(kloop_warnings INTERFACE)
target_compile_options(kloop_warnings INTERFACE
    -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes)
if(KLOOP_WERROR)
    target_compile_options(kloop_warnings INTERFACE -Werror)
endif()

add_library(kloop_instrument INTERFACE)
if(KLOOP_SANITIZE)
    set(_flags -fsanitize=${KLOOP_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_compile_options(kloop_instrument INTERFACE ${_flags})
    target_link_options(kloop_instrument INTERFACE ${_flags})
endif()
if(KLOOP_BUILD_FUZZ)
    if(NOT CMAKE_C_COMPILER_ID MATCHES Clang)
        message(FATAL_ERROR
            "KLOOP_BUILD_FUZZ needs clang, this is ${CMAKE_C_COMPILER_ID}: apt-get install clang-14 libclang-rt-14-dev")
    endif()
    # Only the fuzz programs bring libFuzzer's main; all else is compiled so that it can be watched.
    target_compile_options(kloop_instrument INTERFACE -fsanitize=fuzzer-no-link)
    target_link_options(kloop_instrument INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(KLOOP_COVERAGE)
    target_compile_options(kloop_instrument INTERFACE --coverage -fprofile-abs-path -fno-inline)
    target_compile_definitions(kloop_instrument INTERFACE KLOOP_COUNT_BRANCHES)
    target_link_options(kloop_instrument INTERFACE --coverage)
endif()

# Checks that read symbols make sense only where the compiler has added none of its own.
set(KLOOP_PLAIN_OBJECTS ON)
if(KLOOP_SANITIZE OR KLOOP_BUILD_FUZZ OR KLOOP_COVERAGE)
    set(KLOOP_PLAIN_OBJECTS OFF)
endif()
