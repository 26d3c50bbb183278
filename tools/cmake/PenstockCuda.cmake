# What is compiled for NVIDIA cards: by nvcc as it is, because CMake 3.25 drops
# the C++ standard for it without a word and links a cudart of its own.
#
#   PENSTOCK_CUDA_FOUND           nvcc and the CUDA runtime are there
#   penstock_cuda_object(out source)   its object file, for add_library()
#   penstock_cudart               the runtime, shared
include_guard(GLOBAL)

set(PENSTOCK_CUDA_ARCHITECTURES "80;90;100;120" CACHE STRING
    "Cards that the CUDA engine has code for; newer ones get the last one's PTX")
find_program(PENSTOCK_NVCC nvcc HINTS "$ENV{CUDA_HOME}/bin"
                                      /usr/local/cuda/bin)
mark_as_advanced(PENSTOCK_NVCC)
if(PENSTOCK_NVCC)
  get_filename_component(penstock_toolkit "${PENSTOCK_NVCC}" REALPATH)
  cmake_path(GET penstock_toolkit PARENT_PATH penstock_toolkit)
  cmake_path(GET penstock_toolkit PARENT_PATH penstock_toolkit)
  # Never that of stubs/.
  find_library(PENSTOCK_CUDART cudart NO_DEFAULT_PATH
    HINTS "${penstock_toolkit}/lib64" "${penstock_toolkit}/lib"
          "${penstock_toolkit}/targets/x86_64-linux/lib")
  find_path(PENSTOCK_CUDA_INCLUDE cuda_runtime_api.h NO_DEFAULT_PATH
    HINTS "${penstock_toolkit}/include"
          "${penstock_toolkit}/targets/x86_64-linux/include")
  mark_as_advanced(PENSTOCK_CUDART PENSTOCK_CUDA_INCLUDE)
endif()
# A sanitizer's build runs no card.
if(PENSTOCK_NVCC AND PENSTOCK_CUDART AND PENSTOCK_CUDA_INCLUDE
   AND NOT PENSTOCK_SANITIZER)
  set(PENSTOCK_CUDA_FOUND ON)
else()
  set(PENSTOCK_CUDA_FOUND OFF)
  if(PENSTOCK_CUDA AND NOT PENSTOCK_SANITIZER)
    message(FATAL_ERROR
      "PENSTOCK_CUDA=ON needs nvcc with the CUDA runtime beside it: nvcc is "
      "${PENSTOCK_NVCC}, libcudart.so ${PENSTOCK_CUDART}. Install the CUDA "
      "toolkit, or set CUDA_HOME.")
  endif()
endif()

if(PENSTOCK_CUDA_FOUND AND NOT TARGET penstock_cudart)
  add_library(penstock_cudart SHARED IMPORTED GLOBAL)
  set_target_properties(penstock_cudart PROPERTIES
    IMPORTED_LOCATION "${PENSTOCK_CUDART}")
  target_include_directories(penstock_cudart SYSTEM INTERFACE
    "${PENSTOCK_CUDA_INCLUDE}")
endif()

function(penstock_cuda_object out source)
  set(targets "")
  foreach(arch IN LISTS PENSTOCK_CUDA_ARCHITECTURES)
    list(APPEND targets "-gencode=arch=compute_${arch},code=sm_${arch}")
  endforeach()
  list(GET PENSTOCK_CUDA_ARCHITECTURES -1 newest)
  list(APPEND targets "-gencode=arch=compute_${newest},code=compute_${newest}")
  cmake_path(GET source STEM name)
  set(object "${CMAKE_CURRENT_BINARY_DIR}/${name}.cu.o")
  add_custom_command(OUTPUT "${object}"
    COMMAND "${PENSTOCK_NVCC}" -c -std=c++20 -O3 --expt-relaxed-constexpr
            -Werror all-warnings --threads 0 ${targets}
            -Xcompiler -fPIC,-fvisibility=hidden
            -I "${PROJECT_SOURCE_DIR}/plugins"
            -MD -MF "${object}.d" -o "${object}"
            "${CMAKE_CURRENT_SOURCE_DIR}/${source}"
    DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${source}"
    DEPFILE "${object}.d"
    COMMENT "nvcc ${source} for ${PENSTOCK_CUDA_ARCHITECTURES}"
    COMMAND_EXPAND_LISTS VERBATIM)
  set(${out} "${object}" PARENT_SCOPE)
endfunction()
