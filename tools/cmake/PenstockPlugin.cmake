# What a plugin is to CMake: the same functions in this tree and, installed, in
# a project of one's own. Tests get the labels of PENSTOCK_TEST_LABELS.
include_guard(GLOBAL)

# penstock_plugin_library(name SOURCES a.cpp ... [LIBS lib ...])
#   penstock_<name>           the plugin, libpenstock_<name>.so
#   penstock_<name>_objects   the same objects, for tests
# Hidden symbols, C++20, warnings; what is undefined fails to link, not to load.
function(penstock_plugin_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBS")
  _penstock_check_plugin("${name}")
  add_library(penstock_${name}_objects OBJECT ${arg_SOURCES})
  target_link_libraries(penstock_${name}_objects PUBLIC
                        penstock::penstock ${arg_LIBS})
  target_compile_options(penstock_${name}_objects PRIVATE -fPIC -Wall -Wextra)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Statics of two plugins stay apart.
    target_compile_options(penstock_${name}_objects PRIVATE -fno-gnu-unique)
  endif()
  target_compile_features(penstock_${name}_objects PUBLIC cxx_std_20)
  add_library(penstock_${name} MODULE)
  target_link_libraries(penstock_${name} PRIVATE penstock_${name}_objects)
  set_target_properties(penstock_${name} PROPERTIES LINKER_LANGUAGE CXX)
  set_target_properties(penstock_${name} penstock_${name}_objects PROPERTIES
    CXX_VISIBILITY_PRESET hidden)
  if(NOT PROJECT_SOURCE_DIR STREQUAL "${Penstock_SOURCE_DIR}")
    # As it is installed, from the start: CMake would make room for another
    # RUNPATH with an empty entry, which means the current folder.
    set_target_properties(penstock_${name} PROPERTIES
      BUILD_WITH_INSTALL_RPATH ON INSTALL_RPATH_USE_LINK_PATH ON)
  endif()
  # A sanitizer's own symbols come with the program.
  if(NOT PENSTOCK_SANITIZER AND NOT CMAKE_CXX_FLAGS MATCHES "-fsanitize=")
    target_link_options(penstock_${name} PRIVATE LINKER:-z,defs)
  endif()
endfunction()

# penstock_add_plugin_test(name PLUGIN plugin SOURCES a_test.cpp ... [LIBS ...])
# A GoogleTest of stages, with penstock::testing and the plugin's own objects,
# as one entry of ctest. Needs find_package(GTest).
function(penstock_add_plugin_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "PLUGIN" "SOURCES;LIBS")
  if(NOT TARGET penstock_${arg_PLUGIN}_objects OR NOT arg_SOURCES)
    message(FATAL_ERROR "penstock_add_plugin_test(${name}): PLUGIN names what "
                        "penstock_add_plugin() made, SOURCES the tests")
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE
    penstock_${arg_PLUGIN}_objects penstock::testing GTest::gtest_main
    ${arg_LIBS})
  target_compile_options(${name} PRIVATE -Wall -Wextra)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES
    TIMEOUT 120 LABELS "${PENSTOCK_TEST_LABELS}")
endfunction()

# penstock_add_pipeline_test(name PLUGIN plugin FILE pipeline.yaml
#                            [MATCHES regex])
# Runs the file with its own inputs through pipeline-run, which finds the plugin
# where it was built.
function(penstock_add_pipeline_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "PLUGIN;FILE;MATCHES" "")
  if(NOT TARGET penstock_${arg_PLUGIN} OR NOT arg_FILE)
    message(FATAL_ERROR "penstock_add_pipeline_test(${name}): PLUGIN names "
                        "what penstock_add_plugin() made, FILE the pipeline")
  endif()
  cmake_path(ABSOLUTE_PATH arg_FILE)
  add_test(NAME ${name}
    COMMAND $<TARGET_FILE:penstock::pipeline_run> ${arg_FILE}
            --plugin-path $<TARGET_FILE_DIR:penstock_${arg_PLUGIN}>)
  set_tests_properties(${name} PROPERTIES
    TIMEOUT 60 LABELS "${PENSTOCK_TEST_LABELS}")
  if(arg_MATCHES)
    set_tests_properties(${name} PROPERTIES
                         PASS_REGULAR_EXPRESSION "${arg_MATCHES}")
  endif()
endfunction()

macro(_penstock_check_plugin name)
  if(NOT "${name}" MATCHES "^[a-z0-9_]+$")
    message(FATAL_ERROR "penstock_add_plugin(${name}): a name is made of the "
                        "characters a-z, 0-9 and _")
  endif()
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "penstock_add_plugin(${name}): unknown "
                        "${arg_UNPARSED_ARGUMENTS}; it takes SOURCES and LIBS")
  endif()
  if(NOT arg_SOURCES)
    message(FATAL_ERROR "penstock_add_plugin(${name}): SOURCES is empty")
  endif()
endmacro()
