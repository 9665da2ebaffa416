# SPDX-License-Identifier: BSD-2-Clause
#
# What our own files are compiled with. Nothing here touches CMAKE_C_FLAGS or a project around us.
#   kloop_warnings    the warnings of the house
#   kloop_instrument  sanitizers and coverage, for compiling and linking
#   kloop_lean        what makes the libraries of a release small; cmake/hot_files.cmake has which files are built for speed
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

# Names of files in assertions are those of this tree, wherever it stands.
add_library(kloop_lean INTERFACE)
target_compile_options(kloop_lean INTERFACE -fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=)
# Sections of their own let linkers leave out what a program does not use.
target_compile_options(kloop_lean INTERFACE "$<$<CONFIG:Release>:-ffunction-sections;-fdata-sections>")
# Nobody is meant to throw C++ exceptions through kloop; without tables for that the shared libraries are a tenth smaller. The
# archives keep them, where debuggers and whoever prints a backtrace at a crash need them, since nothing promises their size.
set(KLOOP_LEAN_SHARED -falign-functions=1 -falign-jumps=1 -falign-loops=1 -falign-labels=1)
if(NOT KLOOP_UNWIND_TABLES)
    list(APPEND KLOOP_LEAN_SHARED -fno-asynchronous-unwind-tables -fno-unwind-tables)
endif()

# gcc 12 brought a word for "smaller yet".
set(KLOOP_SMALLEST -Oz)
if(CMAKE_C_COMPILER_ID STREQUAL GNU AND CMAKE_C_COMPILER_VERSION VERSION_LESS 12)
    set(KLOOP_SMALLEST -Os)
endif()

# Checks that read symbols make sense only where the compiler has added none of its own.
set(KLOOP_PLAIN_OBJECTS ON)
if(KLOOP_SANITIZE OR KLOOP_BUILD_FUZZ OR KLOOP_COVERAGE)
    set(KLOOP_PLAIN_OBJECTS OFF)
endif()

# The shared libraries as a whole, see layer.cmake. Only gcc's way is tried here.
set(KLOOP_LTO OFF)
if(PROJECT_IS_TOP_LEVEL AND KLOOP_PLAIN_OBJECTS AND CMAKE_C_COMPILER_ID STREQUAL GNU AND CMAKE_BUILD_TYPE STREQUAL Release)
    set(KLOOP_LTO ON)
endif()
