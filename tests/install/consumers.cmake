# SPDX-License-Identifier: BSD-2-Clause
# The consumers with each target that kloop has: the wire with libkloop-engine, the producer with libkloop. A program that
# uses libuv itself finds it itself.
set(CMAKE_CXX_STANDARD 11)
find_package(PkgConfig REQUIRED)
pkg_check_modules(CONSUMER_UV REQUIRED IMPORTED_TARGET libuv)
foreach(kind engine engine_shared engine_static)
    add_executable(c_${kind} ${SOURCES}/consumer.c)
    add_executable(cxx_${kind} ${SOURCES}/consumer.cc)
    target_link_libraries(c_${kind} PRIVATE kloop::${kind})
    target_link_libraries(cxx_${kind} PRIVATE kloop::${kind})
endforeach()
foreach(kind kloop shared static)
    add_executable(c_${kind} ${SOURCES}/loop_consumer.c)
    add_executable(cxx_${kind} ${SOURCES}/loop_consumer.cc)
    target_link_libraries(c_${kind} PRIVATE kloop::${kind} PkgConfig::CONSUMER_UV)
    target_link_libraries(cxx_${kind} PRIVATE kloop::${kind} PkgConfig::CONSUMER_UV)
endforeach()
