# SPDX-License-Identifier: BSD-2-Clause
#
# kloop_layer(NAME FILE...)
#
# One layer of the library: its files as position-independent objects, target kloop_NAME. The codec libraries' headers are
# in reach of all layers; who may include what is checked by tests/house/include_order.py, not by paths.
function(kloop_layer name)
    add_library(kloop_${name} OBJECT ${ARGN})
    set_target_properties(kloop_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
    target_include_directories(kloop_${name} PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/include)
    target_link_libraries(kloop_${name} PRIVATE
        kloop_warnings kloop_instrument kloop::zlib kloop::lz4 kloop::zstd)
endfunction()
