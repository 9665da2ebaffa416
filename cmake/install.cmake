# SPDX-License-Identifier: BSD-2-Clause
#
# What `cmake --install` puts where: the public headers, both libraries, kloop.pc, the CMake package and the command.
# Everything finds the rest by relative paths, so the folder may be moved.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(DIRECTORY include/kloop DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
# Two sets, so that whoever links the shared library needs no codec library's development files.
foreach(kind shared static)
    install(TARGETS kloop_${kind} EXPORT kloop_${kind}_targets
        RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
        INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
endforeach()
if(KLOOP_BUILD_CLI)
    install(TARGETS kloop_command RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

# kloop.pc
file(RELATIVE_PATH KLOOP_PC_PREFIX ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" KLOOP_PC_PREFIX "\${pcfiledir}/${KLOOP_PC_PREFIX}")
foreach(dir LIBDIR INCLUDEDIR)
    set(KLOOP_PC_${dir} "\${prefix}/${CMAKE_INSTALL_${dir}}")
    if(IS_ABSOLUTE "${CMAKE_INSTALL_${dir}}")
        set(KLOOP_PC_${dir} "${CMAKE_INSTALL_${dir}}")
        set(KLOOP_PC_PREFIX "${CMAKE_INSTALL_PREFIX}")
    endif()
endforeach()
configure_file(cmake/kloop.pc.in ${PROJECT_BINARY_DIR}/package/kloop.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/package/kloop.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# The CMake package
set(_package ${CMAKE_INSTALL_LIBDIR}/cmake/kloop)
foreach(kind shared static)
    install(EXPORT kloop_${kind}_targets
        FILE kloopTargets-${kind}.cmake NAMESPACE kloop:: DESTINATION ${_package})
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
    ${PROJECT_SOURCE_DIR}/cmake/kloopCodecLibraries.cmake
    DESTINATION ${_package})
