# SPDX-License-Identifier: BSD-2-Clause
#
# kloop_layer(NAME FILE...)
#
# One layer of the library: its files as position-independent objects, target kloop_NAME. The codec libraries' headers are
# in reach of all layers; who may include what is checked by tests/house/include_order.py, not by paths.
#
# With KLOOP_LTO a second time as kloop_NAME_lto, for the shared libraries: optimised as a whole, and for size but for the hot
# files. Static libraries are made of plain objects, which any compiler and linker can use, and for speed: nothing promises their
# size, and a program takes from them what it uses.
include(cmake/hot_files.cmake)

function(_kloop_objects target)
    add_library(${target} OBJECT ${ARGN})
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
    target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/include)
    target_link_libraries(${target} PRIVATE
        kloop_warnings kloop_instrument kloop_lean kloop::zlib kloop::lz4 kloop::zstd)
endfunction()

function(kloop_layer layer)
    _kloop_objects(kloop_${layer} ${ARGN})
    # A file's own options come behind those of its targets.
    foreach(_file ${ARGN})
        if(${layer}/${_file} IN_LIST KLOOP_HOT_FILES)
            set_property(SOURCE ${_file} APPEND PROPERTY COMPILE_OPTIONS $<$<CONFIG:Release>:-O2>)
        endif()
    endforeach()
    if(KLOOP_LTO)
        _kloop_objects(kloop_${layer}_lto ${ARGN})
        target_compile_options(kloop_${layer}_lto PRIVATE -flto -fno-fat-lto-objects ${KLOOP_SMALLEST} ${KLOOP_LEAN_SHARED})
    endif()
endfunction()
