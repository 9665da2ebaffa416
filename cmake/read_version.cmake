# SPDX-License-Identifier: BSD-2-Clause
#
# The version is written once, in <kloop/export.h>; its three forms there must agree.
set(_header ${CMAKE_CURRENT_LIST_DIR}/../include/kloop/export.h)
# A new version means a new configure.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${_header})
file(READ ${_header} _text)
foreach(_part MAJOR MINOR PATCH)
    if(NOT _text MATCHES "#define KLOOP_VERSION_${_part} +([0-9]+)\n")
        message(FATAL_ERROR "include/kloop/export.h has no KLOOP_VERSION_${_part}")
    endif()
    set(_${_part} ${CMAKE_MATCH_1})
endforeach()
set(KLOOP_VERSION ${_MAJOR}.${_MINOR}.${_PATCH})

if(NOT _text MATCHES "#define KLOOP_VERSION +\"${_MAJOR}\\.${_MINOR}\\.${_PATCH}\"\n")
    message(FATAL_ERROR "include/kloop/export.h: KLOOP_VERSION is not \"${KLOOP_VERSION}\"")
endif()
if(NOT _text MATCHES "#define KLOOP_VERSION_HEX +0x([0-9a-f]+)\n")
    message(FATAL_ERROR "include/kloop/export.h has no KLOOP_VERSION_HEX")
endif()
math(EXPR _given "0x${CMAKE_MATCH_1}")
math(EXPR _wanted "(${_MAJOR} << 16) | (${_MINOR} << 8) | ${_PATCH}")
if(NOT _given EQUAL _wanted)
    message(FATAL_ERROR "include/kloop/export.h: KLOOP_VERSION_HEX is not 0xMMmmpp of ${KLOOP_VERSION}")
endif()
