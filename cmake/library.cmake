# SPDX-License-Identifier: BSD-2-Clause
#
# The library, shared and static from the same objects, and what our own programs link.
set(_objects
    $<TARGET_OBJECTS:kloop_base>
    $<TARGET_OBJECTS:kloop_codecs>
    $<TARGET_OBJECTS:kloop_protocol>)

# While the version is 0.x, a new minor version may break programs; then it has a new name too.
set(_soversion ${PROJECT_VERSION_MAJOR})
if(PROJECT_VERSION_MAJOR EQUAL 0)
    set(_soversion 0.${PROJECT_VERSION_MINOR})
endif()

foreach(kind shared static)
    string(TOUPPER ${kind} KIND)
    add_library(kloop_${kind} ${KIND} ${_objects})
    add_library(kloop::${kind} ALIAS kloop_${kind})
    set_target_properties(kloop_${kind} PROPERTIES
        OUTPUT_NAME kloop
        EXPORT_NAME ${kind}
        LINKER_LANGUAGE C)
    target_include_directories(kloop_${kind} INTERFACE
        $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>)
    target_link_libraries(kloop_${kind} PRIVATE kloop::zlib kloop::lz4 kloop::zstd)
endforeach()

set(_map ${PROJECT_SOURCE_DIR}/cmake/kloop.map)
set_target_properties(kloop_shared PROPERTIES
    VERSION ${PROJECT_VERSION}
    SOVERSION ${_soversion}
    LINK_DEPENDS ${_map})
target_link_options(kloop_shared PRIVATE LINKER:--version-script=${_map})
target_link_libraries(kloop_shared PRIVATE kloop_instrument)
if(KLOOP_PLAIN_OBJECTS)
    # Sanitizers leave their own symbols to the program; everything else must be found here.
    target_link_options(kloop_shared PRIVATE LINKER:--no-undefined)
endif()

if(BUILD_SHARED_LIBS)
    add_library(kloop::kloop ALIAS kloop_shared)
else()
    add_library(kloop::kloop ALIAS kloop_static)
endif()

# For programs of this tree: hidden symbols are within reach through the static library, internal headers by their path.
add_library(kloop_inside INTERFACE)
target_link_libraries(kloop_inside INTERFACE kloop_static kloop_warnings kloop_instrument)
target_include_directories(kloop_inside INTERFACE ${PROJECT_SOURCE_DIR})
