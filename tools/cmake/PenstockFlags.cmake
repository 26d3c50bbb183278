# What every target of ours is compiled with. Flags that a precompiled header
# depends on are set here, once, so that one PCH fits all targets.
include_guard(GLOBAL)

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
# GCC 13's linker refuses programs that hide members of std::string which a
# library of theirs wants.
if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU" OR
   CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
endif()
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()

# -fPIC for programs as well: -fPIE would need a second precompiled header.
# -fno-gnu-unique: statics of two plugins stay apart.
add_compile_options(-fPIC)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_compile_options(-fno-gnu-unique)
endif()

if(PENSTOCK_SANITIZER STREQUAL "asan")
  set(PENSTOCK_SANITIZER_FLAGS "-fsanitize=address,undefined")
  # These four check a pointer at every use and are a third of the time that it
  # takes to compile; AddressSanitizer sees most of what they see, and tools/fuzz
  # has all of them for what reads files.
  add_compile_options(${PENSTOCK_SANITIZER_FLAGS}
                      -fno-sanitize-recover=undefined
                      -fno-sanitize=null,alignment,object-size,vptr)
  add_link_options(${PENSTOCK_SANITIZER_FLAGS})
elseif(PENSTOCK_SANITIZER STREQUAL "tsan")
  set(PENSTOCK_SANITIZER_FLAGS "-fsanitize=thread")
  add_compile_options(${PENSTOCK_SANITIZER_FLAGS})
  add_link_options(${PENSTOCK_SANITIZER_FLAGS})
elseif(PENSTOCK_SANITIZER STREQUAL "fuzz")
  # Other warnings than g++'s, of the same code: not looked at here.
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined
                      -fno-sanitize-recover=undefined -w)
  add_link_options(-fsanitize=address,undefined)
elseif(PENSTOCK_SANITIZER)
  message(FATAL_ERROR "PENSTOCK_SANITIZER is '${PENSTOCK_SANITIZER}'; "
                      "known: asan, tsan, fuzz, or empty")
endif()
if(PENSTOCK_SANITIZER)
  add_compile_options(-O1 -g1 -fno-omit-frame-pointer)
  add_compile_definitions(PENSTOCK_SANITIZER="${PENSTOCK_SANITIZER}")
endif()

set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${Penstock_BINARY_DIR}/bin")
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${Penstock_BINARY_DIR}/lib")
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY "${Penstock_BINARY_DIR}/lib")

find_program(PENSTOCK_CCACHE ccache)
if(PENSTOCK_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER
      env CCACHE_SLOPPINESS=pch_defines,time_macros
      # Another checkout of the same sources finds the same objects.
      "CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}" CCACHE_NOHASHDIR=1
      "${PENSTOCK_CCACHE}")
endif()

# Where tools/setup puts what it fetches.
if(DEFINED ENV{PENSTOCK_CACHE})
  set(PENSTOCK_CACHE_DIR "$ENV{PENSTOCK_CACHE}")
elseif(DEFINED ENV{XDG_CACHE_HOME})
  set(PENSTOCK_CACHE_DIR "$ENV{XDG_CACHE_HOME}/penstock")
else()
  set(PENSTOCK_CACHE_DIR "$ENV{HOME}/.cache/penstock")
endif()

# penstock_pinned(out package): the version that tools/pins/*.txt names.
function(penstock_pinned out package)
  file(GLOB lists "${PROJECT_SOURCE_DIR}/tools/pins/*.txt")
  foreach(list IN LISTS lists)
    file(STRINGS "${list}" lines REGEX "^${package}==")
    if(lines)
      string(REGEX REPLACE "^[^=]*==([^ ]*).*" "\\1" version "${lines}")
      set(${out} "${version}" PARENT_SCOPE)
      return()
    endif()
  endforeach()
  message(FATAL_ERROR "no version of ${package} in tools/pins")
endfunction()
