# The few functions our CMakeLists.txt files are written with.
include_guard(GLOBAL)
include(PenstockFlags)
include(PenstockPlugin)

# Errors with the compilers that CI runs; a newer one's warnings are told.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  set(_penstock_last_known 12)
else()
  set(_penstock_last_known 14)
endif()
if(CMAKE_CXX_COMPILER_VERSION VERSION_LESS_EQUAL ${_penstock_last_known}.999)
  set(_penstock_is_known ON)
else()
  set(_penstock_is_known OFF)
endif()
option(PENSTOCK_WERROR "Warnings are errors" ${_penstock_is_known})

# penstock_warnings(target): our own code compiles without a warning.
function(penstock_warnings target)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wconversion -Wshadow $<$<BOOL:${PENSTOCK_WERROR}>:-Werror>)
endfunction()

# penstock_unity(target): compile its sources six at a time. What ATen's headers
# and json's make the compiler instantiate in every file, needed or not (two
# seconds, more than most files take themselves), is done once for six. Names in
# anonymous namespaces must differ within a target. The lint preset compiles
# each file alone, so each must include what it uses.
function(penstock_unity target)
  set_target_properties(${target} PROPERTIES
    UNITY_BUILD ${PENSTOCK_UNITY} UNITY_BUILD_BATCH_SIZE 6)
  # A test that takes a plugin's insides from an archive leaves this one there.
  set_source_files_properties(plugin.cpp PROPERTIES
    SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()

# penstock_test_flags(target): a test's own code may be slow and is not what the
# sanitizers look at; so it is compiled in less than half of the time.
function(penstock_test_flags target)
  # Without inlining g++ cannot see that a constructor initialises.
  target_compile_options(${target} PRIVATE -Og
    $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  if(PENSTOCK_SANITIZER STREQUAL "asan")
    target_compile_options(${target} PRIVATE -fno-sanitize=undefined)
  endif()
endfunction()

# penstock_use_aten_pch(target): take the ATen headers precompiled. The target
# must link penstock::libtorch (or penstock), directly or not.
function(penstock_use_aten_pch target)
  if(PENSTOCK_TORCH)
    _penstock_use_pch(${target} aten_pch penstock::libtorch)
  endif()
endfunction()

# tools/cmake/NAME.h, precompiled once; the rest are libraries that it needs.
function(_penstock_use_pch target name)
  if(NOT PENSTOCK_PCH)
    return()
  endif()
  if(NOT TARGET penstock_${name})
    set(source "${Penstock_BINARY_DIR}/${name}.cpp")
    file(CONFIGURE OUTPUT "${source}" CONTENT "// only carries the PCH\n")
    add_library(penstock_${name} OBJECT "${source}")
    target_link_libraries(penstock_${name} PRIVATE ${ARGN})
    target_include_directories(penstock_${name} PRIVATE
                               "${Penstock_SOURCE_DIR}/tools")
    target_precompile_headers(penstock_${name} PRIVATE
      "${Penstock_SOURCE_DIR}/tools/cmake/${name}.h")
    _penstock_pch_options(penstock_${name})
    if(name MATCHES "test_pch$")
      penstock_test_flags(penstock_${name})
    endif()
  endif()
  target_precompile_headers(${target} REUSE_FROM penstock_${name})
  _penstock_pch_options(${target})
endfunction()

# ccache can only cache a user of a PCH that was preprocessed with it.
function(_penstock_pch_options target)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(${target} PRIVATE -fpch-preprocess)
  endif()
endfunction()

# penstock_add_plugin(name SOURCES a.cpp ... [LIBS lib ...] [ATEN_PCH])
#   penstock_<name>           lib/penstock/plugins/libpenstock_<name>.so
#   penstock_<name>_objects   the same objects, for tests of its insides
#   penstock_plugins          all plugins there are
# The installed function of that name is penstock_plugin_library() alone; a
# project that has this tree as a subfolder calls this one.
function(penstock_add_plugin name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "ATEN_PCH" "" "SOURCES;LIBS")
  _penstock_check_arguments(penstock_add_plugin ${name})
  penstock_plugin_library(${name} SOURCES ${arg_SOURCES} LIBS ${arg_LIBS})
  if(PROJECT_SOURCE_DIR STREQUAL Penstock_SOURCE_DIR)
    target_include_directories(penstock_${name}_objects PUBLIC
                               "${Penstock_SOURCE_DIR}/plugins")
    penstock_warnings(penstock_${name}_objects)
  endif()
  penstock_unity(penstock_${name}_objects)
  if(arg_ATEN_PCH)
    penstock_use_aten_pch(penstock_${name}_objects)
  endif()
  if(NOT TARGET penstock_plugins)
    add_custom_target(penstock_plugins)
  endif()
  add_dependencies(penstock_plugins penstock_${name})
  set_target_properties(penstock_${name} PROPERTIES
    LIBRARY_OUTPUT_DIRECTORY "${Penstock_BINARY_DIR}/lib/penstock/plugins")
endfunction()

# penstock_add_test(name SOURCES a_test.cpp ... [LIBS lib ...]
#                   [LABELS label ...] [TIMEOUT seconds] [ENVIRONMENT A=b ...]
#                   [PLUGINS core ...] [ATEN_PCH] [NO_MAIN])
# One program, one ctest entry: a start with libtorch costs 0.2 to 1.8 s, so
# its cases are not discovered one by one. `tests_<label>` builds all programs
# of a label.
function(penstock_add_test name)
  if(NOT PENSTOCK_TESTS)
    return()
  endif()
  cmake_parse_arguments(PARSE_ARGV 1 arg "ATEN_PCH;NO_MAIN" "TIMEOUT"
                        "SOURCES;LIBS;LABELS;ENVIRONMENT;PLUGINS")
  _penstock_check_arguments(penstock_add_test ${name})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LIBS} GTest::gmock)
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}")
  if(NOT arg_NO_MAIN)
    target_link_libraries(${name} PRIVATE GTest::gtest_main)
  endif()
  penstock_warnings(${name})
  penstock_test_flags(${name})
  if(arg_ATEN_PCH AND PENSTOCK_TORCH)
    _penstock_use_pch(${name} aten_test_pch penstock::libtorch GTest::gmock)
  else()
    _penstock_use_pch(${name} test_pch GTest::gmock)
  endif()
  set_target_properties(${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY "${Penstock_BINARY_DIR}/bin/tests")
  penstock_unity(${name})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  if(PENSTOCK_SANITIZER)
    math(EXPR arg_TIMEOUT "3 * ${arg_TIMEOUT}")  # and slower on a busy machine
  endif()
  add_test(NAME ${name} COMMAND ${name})
  # The long ones first, so that the last does not run on one core.
  set_tests_properties(${name} PROPERTIES
    LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT} COST ${arg_TIMEOUT}
    ENVIRONMENT "${_penstock_sanitizer_environment};${arg_ENVIRONMENT}")
  foreach(plugin IN LISTS arg_PLUGINS)
    add_dependencies(${name} penstock_${plugin})
  endforeach()
  foreach(label IN LISTS arg_LABELS)
    if(NOT TARGET tests_${label})
      add_custom_target(tests_${label})
    endif()
    add_dependencies(tests_${label} ${name})
  endforeach()
endfunction()

set(_penstock_sanitizer_environment
  "ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1"
  "UBSAN_OPTIONS=print_stacktrace=1"
  "TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1")

macro(_penstock_check_arguments function name)
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR
      "${function}(${name}): unknown ${arg_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT arg_SOURCES)
    message(FATAL_ERROR "${function}(${name}): SOURCES is empty")
  endif()
endmacro()
