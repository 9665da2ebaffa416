# SPDX-License-Identifier: BSD-2-Clause
#
# What `cpack` makes of the build: packages as Debian cuts them (-G DEB), and the same for rpm (-G RPM).
#
#   libkloopX.Y     the shared libraries, by their soname, so that two versions live side by side
#   libkloop-dev    headers, archives, the .pc and CMake files
#   kloop           the command, its manual and completions
#
# With -DCMAKE_INSTALL_PREFIX=/usr libraries go to the folder of the architecture, as /usr/lib/x86_64-linux-gnu.
set(CPACK_PACKAGE_NAME kloop)
set(CPACK_PACKAGE_VENDOR kloop)
if(NOT CPACK_PACKAGE_CONTACT)
    set(CPACK_PACKAGE_CONTACT "The kloop authors <authors@kloop.invalid>")
endif()
# Each package begins with a line of its own; one of all three would come before it.
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_SOURCE_GENERATOR "")
set(CPACK_GENERATOR DEB)

set(CPACK_COMPONENTS_ALL library development)
if(KLOOP_BUILD_CLI)
    list(APPEND CPACK_COMPONENTS_ALL tool)
endif()
set(_library libkloop${KLOOP_SOVERSION})
set(_name_library ${_library})
set(_name_development libkloop-dev)
set(_name_tool kloop)
set(_about_library "Kafka producer for libuv loops - shared libraries
libkloop puts records into Kafka from within a program's own libuv loop,
without threads; libkloop-engine is the same without a loop, and the Kafka
wire protocol.")
set(_about_development "Kafka producer for libuv loops - development files
Headers, static libraries, and what pkg-config and CMake read.")
set(_about_tool "Kafka producer for the command line
Sends lines, files or JSON as records, measures as kafka-producer-perf-test
does, plays a broker in memory, looks at clusters, and shows what goes over
the wire.")

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY >=)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_TOOL_PACKAGE_SECTION net)
# pkg-config wants the .pc files of all that stands in Requires.private, for shared linking too.
set(_needs zlib1g-dev liblz4-dev libzstd-dev)
if(KLOOP_BUILD_DRIVER)
    list(APPEND _needs libuv1-dev libc-ares-dev)
    if(KLOOP_TLS)
        list(APPEND _needs libssl-dev)
    endif()
endif()
list(JOIN _needs ", " _needs)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "${_library} (= ${PROJECT_VERSION}), ${_needs}")

set(CPACK_RPM_COMPONENT_INSTALL ON)
set(CPACK_RPM_FILE_NAME RPM-DEFAULT)
set(CPACK_RPM_PACKAGE_LICENSE BSD-2-Clause)
set(_rpm_development libkloop-devel)
set(CPACK_RPM_PACKAGE_AUTOREQ ON)
set(CPACK_RPM_DEVELOPMENT_PACKAGE_REQUIRES "${_library} = ${PROJECT_VERSION}")
# Folders that every system has are not ours.
set(CPACK_RPM_EXCLUDE_FROM_AUTO_FILELIST_ADDITION
    /usr/share/man /usr/share/man/man1 /usr/share/man/man5 /usr/share/bash-completion
    /usr/share/bash-completion/completions /usr/share/zsh /usr/share/zsh/site-functions /usr/share/fish /usr/lib/pkgconfig /usr/lib/cmake)

find_program(KLOOP_GZIP gzip)
foreach(_component ${CPACK_COMPONENTS_ALL})
    string(TOUPPER ${_component} _upper)
    set(CPACK_DEBIAN_${_upper}_PACKAGE_NAME ${_name_${_component}})
    set(CPACK_DEBIAN_${_upper}_DESCRIPTION "${_about_${_component}}")
    set(CPACK_COMPONENT_${_upper}_DESCRIPTION "${_about_${_component}}")
    set(CPACK_RPM_${_upper}_PACKAGE_NAME ${_name_${_component}})
    if(_rpm_${_component})
        set(CPACK_RPM_${_upper}_PACKAGE_NAME ${_rpm_${_component}})
    endif()
    string(REGEX REPLACE "\n.*" "" _summary "${_about_${_component}}")
    set(CPACK_RPM_${_upper}_PACKAGE_SUMMARY "${_summary}")
    # Each package says of itself under which licence it is and what is new.
    set(_docs share/doc/${_name_${_component}})
    install(FILES LICENSE DESTINATION ${_docs} RENAME copyright COMPONENT ${_component} EXCLUDE_FROM_ALL)
    if(KLOOP_GZIP)
        install(FILES ${PROJECT_BINARY_DIR}/package/changelog.gz DESTINATION ${_docs}
            COMPONENT ${_component} EXCLUDE_FROM_ALL)
    endif()
endforeach()
if(KLOOP_GZIP)
    configure_file(CHANGELOG.md ${PROJECT_BINARY_DIR}/package/changelog COPYONLY)
    execute_process(COMMAND ${KLOOP_GZIP} -9 -n -f -k ${PROJECT_BINARY_DIR}/package/changelog COMMAND_ERROR_IS_FATAL ANY)
endif()
include(CPack)
