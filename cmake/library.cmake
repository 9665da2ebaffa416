# SPDX-License-Identifier: BSD-2-Clause
#
# The libraries, each shared and static from the same objects, and what our own programs link.
#
#   libkloop-engine   base to core: the engine, the protocol, record batches; for those who have a loop of their own
#   libkloop          the same, sasl and the driver: the producer on a libuv loop
#
# A program links one of the two. kloop_library(TARGET OUTPUT OBJECTS LINKS) makes TARGET_shared and TARGET_static.

# While the version is 0.x, a new minor version may break programs; then it has a new name too.
set(KLOOP_SOVERSION ${PROJECT_VERSION_MAJOR})
if(PROJECT_VERSION_MAJOR EQUAL 0)
    set(KLOOP_SOVERSION 0.${PROJECT_VERSION_MINOR})
endif()
set(_map ${PROJECT_SOURCE_DIR}/cmake/kloop.map)

# One segment less to fill up to whole pages: up to 8 KB of a file of 250. Tables of texts are tables of addresses, which the loader sets: a packed list of these is a fiftieth of a plain one. Whether
# the C library here knows such lists is seen by running a program.
set(_lean_links LINKER:--gc-sections LINKER:-Bsymbolic-functions LINKER:-z,noseparate-code)
include(CheckCSourceRuns)
set(CMAKE_REQUIRED_LINK_OPTIONS -Wl,-z,pack-relative-relocs)
if(NOT CMAKE_CROSSCOMPILING)
    check_c_source_runs("int main(void) { static int *volatile p; static int *q[] = {(int *)&q}; p = q[0]; return !p; }"
        KLOOP_PACKED_RELOCATIONS)
endif()
unset(CMAKE_REQUIRED_LINK_OPTIONS)
if(KLOOP_PACKED_RELOCATIONS)
    list(APPEND _lean_links LINKER:-z,pack-relative-relocs)
endif()

function(kloop_library target output objects links)
    foreach(kind shared static)
        string(TOUPPER ${kind} KIND)
        set(library ${target}_${kind})
        # kloop::shared, kloop::engine_shared
        string(REGEX REPLACE "^kloop_" "" name ${library})
        set(own ${objects})
        if(KLOOP_LTO AND kind STREQUAL shared)
            list(TRANSFORM own REPLACE ">$" "_lto>")
        endif()
        add_library(${library} ${KIND} ${own})
        add_library(kloop::${name} ALIAS ${library})
        set_target_properties(${library} PROPERTIES
            OUTPUT_NAME ${output}
            EXPORT_NAME ${name}
            LINKER_LANGUAGE C)
        target_include_directories(${library} INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>)
        target_link_libraries(${library} PRIVATE ${links})
    endforeach()
    set(library ${target}_shared)
    set_target_properties(${library} PROPERTIES
        VERSION ${PROJECT_VERSION}
        SOVERSION ${KLOOP_SOVERSION}
        LINK_DEPENDS ${_map})
    target_link_options(${library} PRIVATE LINKER:--version-script=${_map} "$<$<CONFIG:Release>:${_lean_links}>")
    target_link_libraries(${library} PRIVATE kloop_instrument)
    if(KLOOP_LTO)
        target_link_options(${library} PRIVATE -flto -flto-partition=one)
    endif()
    if(KLOOP_PLAIN_OBJECTS)
        # Sanitizers leave their own symbols to the program; everything else must be found here.
        target_link_options(${library} PRIVATE LINKER:--no-undefined)
    endif()
endfunction()

set(_objects
    $<TARGET_OBJECTS:kloop_base>
    $<TARGET_OBJECTS:kloop_codecs>
    $<TARGET_OBJECTS:kloop_protocol>
    $<TARGET_OBJECTS:kloop_core>)
set(_links kloop::zlib kloop::lz4 kloop::zstd)
kloop_library(kloop_engine kloop-engine "${_objects}" "${_links}")
set(_kind static)
if(BUILD_SHARED_LIBS)
    set(_kind shared)
endif()
add_library(kloop::engine ALIAS kloop_engine_${_kind})

# For programs of this tree: hidden symbols are within reach through a static library, internal headers by their path.
add_library(kloop_inside INTERFACE)
target_link_libraries(kloop_inside INTERFACE kloop_warnings kloop_instrument)
target_include_directories(kloop_inside INTERFACE ${PROJECT_SOURCE_DIR})

if(KLOOP_BUILD_DRIVER)
    list(APPEND _objects $<TARGET_OBJECTS:kloop_sasl> $<TARGET_OBJECTS:kloop_driver>)
    list(APPEND _links kloop::uv kloop::cares)
    if(KLOOP_TLS)
        list(APPEND _links kloop::ssl kloop::crypto)
    endif()
    kloop_library(kloop kloop "${_objects}" "${_links}")
    add_library(kloop::kloop ALIAS kloop_${_kind})
    target_link_libraries(kloop_inside INTERFACE kloop_static kloop::uv)
else()
    target_link_libraries(kloop_inside INTERFACE kloop_engine_static)
endif()
