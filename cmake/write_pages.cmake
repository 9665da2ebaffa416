# SPDX-License-Identifier: BSD-2-Clause
#
# cmake -DKLOOP=PROGRAM -DTO=FOLDER -P write_pages.cmake
#
# The manual and the completions as files below FOLDER (share/man, share/bash-completion ...), as the built command itself
# prints them. Packages and `cmake --install` take the folder as it is.
function(_write path)
    execute_process(COMMAND ${KLOOP} ${ARGN} OUTPUT_VARIABLE _text COMMAND_ERROR_IS_FATAL ANY)
    file(WRITE ${TO}/${path} "${_text}")
endfunction()

file(REMOVE_RECURSE ${TO})
execute_process(COMMAND ${KLOOP} manual OUTPUT_VARIABLE _overview COMMAND_ERROR_IS_FATAL ANY)
file(WRITE ${TO}/share/man/man1/kloop.1 "${_overview}")
_write(share/man/man5/kloop.conf.5 manual conf)
# The overview ends with all pages there are.
string(REGEX MATCHALL "kloop\\\\-([a-z]+) \\(1\\)" _pages "${_overview}")
foreach(_page ${_pages})
    string(REGEX REPLACE "kloop\\\\-([a-z]+) .*" "\\1" _command ${_page})
    _write(share/man/man1/kloop-${_command}.1 manual ${_command})
endforeach()
# As distributions want them; a page is read just so without it.
find_program(_gzip gzip)
if(_gzip)
    file(GLOB _files ${TO}/share/man/*/*)
    execute_process(COMMAND ${_gzip} -9 -n ${_files} COMMAND_ERROR_IS_FATAL ANY)
endif()
_write(share/bash-completion/completions/kloop completion bash)
# Debian's zsh looks here below /usr, and all others there; below /usr/local Debian's does so, too.
foreach(_folder vendor-completions site-functions)
    _write(share/zsh/${_folder}/_kloop completion zsh)
endforeach()
_write(share/fish/vendor_completions.d/kloop.fish completion fish)
file(WRITE ${TO}/done "")
