# SPDX-License-Identifier: BSD-2-Clause
#
# What `cmake --install` puts where: the public headers, the libraries, a .pc for each, the CMake package and the command.
# Everything finds the rest by relative paths, so the folder may be moved.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(_not_here "")
if(NOT KLOOP_BUILD_DRIVER)
    # A header without its library would only be found out by the linker.
    set(_not_here PATTERN kloop.h EXCLUDE PATTERN tls.h EXCLUDE)
endif()
install(DIRECTORY include/kloop DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development
    FILES_MATCHING PATTERN "*.h" ${_not_here})
set(_kinds engine_shared engine_static)
if(KLOOP_BUILD_DRIVER)
    list(APPEND _kinds shared static)
endif()
# A set for each, so that whoever links a shared library needs no development files of what is behind it.
foreach(kind ${_kinds})
    install(TARGETS kloop_${kind} EXPORT kloop_${kind}_targets
        RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library NAMELINK_COMPONENT development
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development
        INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
endforeach()
if(KLOOP_BUILD_CLI)
    install(TARGETS kloop_command RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT tool)
    # The manual and the completions, as the command itself prints them: only where it can run.
    if(NOT CMAKE_CROSSCOMPILING)
        set(_pages ${PROJECT_BINARY_DIR}/package/pages)
        add_custom_command(OUTPUT ${_pages}/done
            COMMAND ${CMAKE_COMMAND} -DKLOOP=$<TARGET_FILE:kloop_command> -DTO=${_pages}
                -P ${PROJECT_SOURCE_DIR}/cmake/write_pages.cmake
            DEPENDS kloop_command cmake/write_pages.cmake
            COMMENT "Writing the manual and the completions"
            VERBATIM)
        add_custom_target(kloop_pages ALL DEPENDS ${_pages}/done)
        install(DIRECTORY ${_pages}/share/ DESTINATION ${CMAKE_INSTALL_DATADIR} COMPONENT tool)
    endif()
endif()
# A package has a folder of its own for this, see package.cmake.
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT licence)

# kloop.pc, kloop-engine.pc
file(RELATIVE_PATH KLOOP_PC_PREFIX ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" KLOOP_PC_PREFIX "\${pcfiledir}/${KLOOP_PC_PREFIX}")
foreach(dir LIBDIR INCLUDEDIR)
    set(KLOOP_PC_${dir} "\${prefix}/${CMAKE_INSTALL_${dir}}")
    if(IS_ABSOLUTE "${CMAKE_INSTALL_${dir}}")
        set(KLOOP_PC_${dir} "${CMAKE_INSTALL_${dir}}")
        set(KLOOP_PC_PREFIX "${CMAKE_INSTALL_PREFIX}")
    endif()
endforeach()
# kloop_pc(NAME DESCRIPTION PRIVATE)
function(kloop_pc KLOOP_PC_NAME KLOOP_PC_DESCRIPTION KLOOP_PC_PRIVATE)
    configure_file(cmake/kloop.pc.in ${PROJECT_BINARY_DIR}/package/${KLOOP_PC_NAME}.pc @ONLY)
    install(FILES ${PROJECT_BINARY_DIR}/package/${KLOOP_PC_NAME}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
        COMPONENT development)
endfunction()
set(_private "zlib liblz4 libzstd")
kloop_pc(kloop-engine "Kafka producer without a loop, and the Kafka wire protocol" "${_private}")
if(KLOOP_BUILD_DRIVER)
    # Some, Debian among them, give libuv's archive a name and a module of its own. Only --static asks for it.
    set(_uv libuv)
    find_package(PkgConfig QUIET)
    if(PKG_CONFIG_FOUND)
        pkg_check_modules(KLOOP_UV_STATIC QUIET libuv-static)
        if(KLOOP_UV_STATIC_FOUND)
            set(_uv libuv-static)
        endif()
    endif()
    set(_tls "")
    if(KLOOP_TLS)
        set(_tls "libssl libcrypto ")
    endif()
    kloop_pc(kloop "Kafka producer for libuv loops, and the Kafka wire protocol" "${_uv} libcares ${_tls}${_private}")
endif()

# The CMake package
set(_package ${CMAKE_INSTALL_LIBDIR}/cmake/kloop)
foreach(kind ${_kinds})
    install(EXPORT kloop_${kind}_targets
        FILE kloopTargets-${kind}.cmake NAMESPACE kloop:: DESTINATION ${_package}
        COMPONENT development)
endforeach()
# Under 1.0 each minor version stands alone.
set(_compatible SameMajorVersion)
if(PROJECT_VERSION_MAJOR EQUAL 0)
    set(_compatible SameMinorVersion)
endif()
write_basic_package_version_file(${PROJECT_BINARY_DIR}/package/kloopConfigVersion.cmake
    COMPATIBILITY ${_compatible})
configure_package_config_file(cmake/kloopConfig.cmake.in ${PROJECT_BINARY_DIR}/package/kloopConfig.cmake
    INSTALL_DESTINATION ${_package}
    NO_SET_AND_CHECK_MACRO)
install(FILES
    ${PROJECT_BINARY_DIR}/package/kloopConfig.cmake
    ${PROJECT_BINARY_DIR}/package/kloopConfigVersion.cmake
    ${PROJECT_SOURCE_DIR}/cmake/kloopFindLibraries.cmake
    DESTINATION ${_package} COMPONENT development)
