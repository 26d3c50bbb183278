# The install tree:
#   bin/pipeline-*          programs
#   lib/libpenstock.so      lib/penstock/plugins/*.so
#   lib/penstock/openvino   what its plugin runs models with, where it is built
#   lib/penstock/libpenstock_gemma_cuda.so   Gemma's engine for NVIDIA cards,
#                           where there was an nvcc; opened when one is asked for
#   lib/cmake/Penstock/     find_package(Penstock)
#   lib/pkgconfig/penstock.pc
#   lib/libpenstock_testing.a   what tests of stages link
#   include/penstock/       share/penstock/pipelines/*.yaml
#   share/penstock/templates/   what pipeline-new begins projects with
#   share/doc/penstock/     README, guide, examples, LICENSE
#   share/man/man1/ and completions for shells
# Programs and libraries find each other wherever the tree is moved to, and
# libtorch in lib/penstock/libtorch, where tools/package puts it; else it is
# where it was.
include_guard(GLOBAL)
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

function(penstock_install)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "" "PROGRAMS;PLUGINS")
  set(libtorch "${PENSTOCK_LIBTORCH_ROOT}/lib")
  set(lib "${CMAKE_INSTALL_LIBDIR}")
  # The build tree has the same folders and so the same RPATH: CMake would pad
  # one of its own to the length of this one with empty entries, and an empty
  # entry loads libraries from the current folder.
  set(programs_rpath "$ORIGIN/../lib" "$ORIGIN/../${lib}"
      "$ORIGIN/../${lib}/penstock/libtorch/lib" "${libtorch}")
  list(REMOVE_DUPLICATES programs_rpath)
  set_target_properties(${arg_PROGRAMS} PROPERTIES
    BUILD_WITH_INSTALL_RPATH ON INSTALL_RPATH "${programs_rpath}")
  set_target_properties(penstock PROPERTIES
    BUILD_WITH_INSTALL_RPATH ON
    INSTALL_RPATH "$ORIGIN;$ORIGIN/penstock/libtorch/lib;${libtorch}")
  install(TARGETS ${arg_PROGRAMS} penstock penstock_testing)
  install(FILES LICENSE README.md
          DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/penstock)
  # Beside it, so that its links hold.
  set(doc "${CMAKE_INSTALL_DATADIR}/doc/penstock")
  install(DIRECTORY framework/docs examples DESTINATION ${doc}
          PATTERN "Doxyfile" EXCLUDE PATTERN "__pycache__" EXCLUDE)
  file(GLOB readmes RELATIVE "${PROJECT_SOURCE_DIR}"
       CONFIGURE_DEPENDS plugins/*/README.md)
  foreach(readme IN LISTS readmes)
    cmake_path(GET readme PARENT_PATH folder)
    install(FILES ${readme} DESTINATION ${doc}/${folder})
  endforeach()
  foreach(plugin IN LISTS arg_PLUGINS)
    set_target_properties(penstock_${plugin} PROPERTIES
      BUILD_WITH_INSTALL_RPATH ON
      INSTALL_RPATH "$ORIGIN/../..;$ORIGIN/../libtorch/lib;${libtorch}")
    install(TARGETS penstock_${plugin} DESTINATION ${lib}/penstock/plugins)
    if(plugin MATCHES "^(openvino|speech)$")
      _penstock_find_openvino(${plugin})
    endif()
    if(plugin STREQUAL openvino)
      _penstock_install_openvino(${lib})
    endif()
  endforeach()
  if(TARGET penstock_gemma_cuda)
    # libtorch has loaded the runtime that it needs, from beside itself.
    set_target_properties(penstock_gemma_cuda PROPERTIES
      BUILD_WITH_INSTALL_RPATH ON
      INSTALL_RPATH "$ORIGIN/..;$ORIGIN/libtorch/lib;${libtorch}")
    install(TARGETS penstock_gemma_cuda DESTINATION ${lib}/penstock)
  endif()
  install(DIRECTORY framework/include/penstock TYPE INCLUDE)
  install(FILES ${PENSTOCK_GENERATED_INCLUDE_DIR}/penstock/sdk_version.h
          DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/penstock)
  install(DIRECTORY pipelines DESTINATION ${CMAKE_INSTALL_DATADIR}/penstock
          FILES_MATCHING PATTERN "*.yaml" PATTERN "*.schema.json")
  install(DIRECTORY tools/pipeline_new/templates
          DESTINATION ${CMAKE_INSTALL_DATADIR}/penstock)
  # From the programs that were just installed: they say themselves what they
  # take.
  install(CODE "
    execute_process(
      COMMAND \"${PROJECT_SOURCE_DIR}/tools/completions\"
              \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}\"
      RESULT_VARIABLE failed)
    if(failed)
      message(WARNING \"no completions and man pages: \${failed}\")
    endif()")
  _penstock_package("${CMAKE_INSTALL_PREFIX}" "${lib}"
    "${CMAKE_INSTALL_BINDIR}" "\"\${PACKAGE_PREFIX_DIR}/${CMAKE_INSTALL_INCLUDEDIR}\""
    "${PROJECT_BINARY_DIR}/package")
  install(DIRECTORY "${PROJECT_BINARY_DIR}/package/"
          DESTINATION ${lib}/cmake/Penstock)
  configure_file(tools/cmake/penstock.pc.in
                 "${PROJECT_BINARY_DIR}/penstock.pc" @ONLY)
  install(FILES "${PROJECT_BINARY_DIR}/penstock.pc"
          DESTINATION ${lib}/pkgconfig)
  # The build's folder serves as well, as CMAKE_PREFIX_PATH. Older builds left
  # these where they would be found first.
  file(REMOVE "${PROJECT_BINARY_DIR}/PenstockConfig.cmake"
              "${PROJECT_BINARY_DIR}/PenstockConfigVersion.cmake")
  _penstock_package("${PROJECT_BINARY_DIR}" lib bin
    "\"${PROJECT_SOURCE_DIR}/framework/include\" \"${PENSTOCK_GENERATED_INCLUDE_DIR}\""
    "${PROJECT_BINARY_DIR}/lib/cmake/Penstock")
endfunction()

# Where a plugin that runs models with it finds it.
function(_penstock_find_openvino plugin)
  get_target_property(rpath penstock_${plugin} INSTALL_RPATH)
  set_target_properties(penstock_${plugin} PROPERTIES
    INSTALL_RPATH "$ORIGIN/../openvino;${rpath}")
endfunction()

# Beside the plugins; it finds its own parts beside itself.
function(_penstock_install_openvino lib)
  file(GLOB libraries "${PENSTOCK_OPENVINO_ROOT}/lib/*.so*")
  install(PROGRAMS ${libraries} DESTINATION ${lib}/penstock/openvino)
endfunction()

# Writes the files of find_package() into `folder`, for a tree of that prefix.
function(_penstock_package prefix lib bin includes folder)
  set(PENSTOCK_CONFIG_LIB "${lib}")
  set(PENSTOCK_CONFIG_BIN "${bin}")
  set(PENSTOCK_CONFIG_INCLUDES "${includes}")
  configure_package_config_file(tools/cmake/PenstockConfig.cmake.in
    "${folder}/PenstockConfig.cmake"
    INSTALL_DESTINATION ${lib}/cmake/Penstock INSTALL_PREFIX "${prefix}"
    PATH_VARS PENSTOCK_CONFIG_LIB PENSTOCK_CONFIG_BIN)
  write_basic_package_version_file("${folder}/PenstockConfigVersion.cmake"
                                   COMPATIBILITY SameMinorVersion)
  configure_file(tools/cmake/PenstockPlugin.cmake
                 "${folder}/PenstockPlugin.cmake" COPYONLY)
endfunction()
