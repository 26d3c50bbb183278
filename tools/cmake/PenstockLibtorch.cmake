# penstock::libtorch: libtorch_cpu + libc10 (PenstockCuda adds the CUDA half) and
# their headers, from CMAKE_PREFIX_PATH or from tools/setup's folder.
# TorchConfig.cmake is not used: a CUDA build's asks for a CUDA toolkit even
# when only the CPU half is linked.
include_guard(GLOBAL)
include(PenstockFlags)

function(_penstock_find_libtorch out)
  set(prefixes ${CMAKE_PREFIX_PATH})
  if(DEFINED ENV{CMAKE_PREFIX_PATH})
    string(REPLACE ":" ";" more "$ENV{CMAKE_PREFIX_PATH}")
    list(APPEND prefixes ${more})
  endif()
  penstock_pinned(version torch)
  list(APPEND prefixes "${PENSTOCK_CACHE_DIR}/libtorch-${version}/site")
  foreach(prefix IN LISTS prefixes)
    foreach(root IN ITEMS "${prefix}" "${prefix}/torch" "${prefix}/libtorch")
      if(EXISTS "${root}/lib/libtorch_cpu.so"
         AND EXISTS "${root}/include/ATen/core/Tensor.h")
        get_filename_component(root "${root}" REALPATH)
        set(${out} "${root}" PARENT_SCOPE)
        return()
      endif()
    endforeach()
  endforeach()
  list(JOIN prefixes "\n  " looked)
  message(FATAL_ERROR
    "libtorch not found; looked in\n  ${looked}\n"
    "Run tools/setup, or pass -DCMAKE_PREFIX_PATH=/path/to/libtorch (2.6 or "
    "newer).")
endfunction()

function(_penstock_libtorch_version out root)
  foreach(file IN ITEMS torch/headeronly/version.h
                        torch/csrc/api/include/torch/version.h)
    if(EXISTS "${root}/include/${file}")
      file(STRINGS "${root}/include/${file}" lines
           REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
      string(REGEX MATCHALL "[0-9]+" numbers "${lines}")
      if(numbers)
        list(JOIN numbers "." version)
        set(${out} "${version}" PARENT_SCOPE)
        return()
      endif()
    endif()
  endforeach()
  message(FATAL_ERROR "${root} holds no torch/version.h: not a whole libtorch")
endfunction()

# The C++11 ABI shows in the mangled names that libc10 exports.
function(_penstock_libtorch_check_abi root version)
  file(STRINGS "${root}/lib/libc10.so" names LIMIT_COUNT 1
       REGEX "^_ZN3c10[A-Za-z0-9_]*St7__cxx1112basic_string")
  if(NOT names)
    message(FATAL_ERROR
      "libtorch ${version} in ${root} was built with "
      "_GLIBCXX_USE_CXX11_ABI=0; Penstock needs 1. Take a 'cxx11-abi' "
      "libtorch, PyPI's wheel of 2.7 or newer, or run tools/setup.")
  endif()
endfunction()

function(_penstock_torch_library name root)
  if(NOT EXISTS "${root}/lib/lib${name}.so")
    message(FATAL_ERROR
      "lib${name}.so is not in ${root}/lib: not a whole libtorch. Pass the "
      "folder of one in CMAKE_PREFIX_PATH.")
  endif()
  add_library(penstock::${name} SHARED IMPORTED GLOBAL)
  set_target_properties(penstock::${name} PROPERTIES
    IMPORTED_LOCATION "${root}/lib/lib${name}.so")
endfunction()

_penstock_find_libtorch(PENSTOCK_LIBTORCH_ROOT)
_penstock_libtorch_version(PENSTOCK_LIBTORCH_VERSION
                           "${PENSTOCK_LIBTORCH_ROOT}")
if(PENSTOCK_LIBTORCH_VERSION VERSION_LESS 2.6)
  message(FATAL_ERROR
    "libtorch ${PENSTOCK_LIBTORCH_VERSION} in ${PENSTOCK_LIBTORCH_ROOT} is "
    "too old; Penstock needs 2.6 or newer. Run tools/setup for a tested one.")
endif()
_penstock_libtorch_check_abi("${PENSTOCK_LIBTORCH_ROOT}"
                             "${PENSTOCK_LIBTORCH_VERSION}")
message(STATUS
  "libtorch ${PENSTOCK_LIBTORCH_VERSION}: ${PENSTOCK_LIBTORCH_ROOT}")

_penstock_torch_library(torch_cpu "${PENSTOCK_LIBTORCH_ROOT}")
_penstock_torch_library(c10 "${PENSTOCK_LIBTORCH_ROOT}")
add_library(penstock::libtorch INTERFACE IMPORTED GLOBAL)
target_include_directories(penstock::libtorch SYSTEM INTERFACE
  "${PENSTOCK_LIBTORCH_ROOT}/include"
  "${PENSTOCK_LIBTORCH_ROOT}/include/torch/csrc/api/include")
target_link_libraries(penstock::libtorch INTERFACE
                      penstock::torch_cpu penstock::c10)
# Else TensorOperators.h brings every operator's header: 2,200 files.
target_compile_definitions(penstock::libtorch INTERFACE
                           AT_PER_OPERATOR_HEADERS)
# What libtorch itself needs is found through its own rpath at run time.
target_link_options(penstock::libtorch INTERFACE -Wl,--allow-shlib-undefined)
