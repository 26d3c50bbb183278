# What is built for NVIDIA cards, where it can be: Gemma's engine for them, a
# library of its own, and the CUDA half of libtorch for all that computes in ATen.
# Nothing else is linked with CUDA. Include it behind PenstockLibtorch.
#
# nvcc is called as it is, because CMake 3.25 drops the C++ standard for it without
# a word and links a cudart of its own.
#
#   PENSTOCK_CUDA_FOUND           nvcc and the CUDA runtime are there
#   PENSTOCK_CUDA_IN_LIBTORCH     penstock::libtorch has its CUDA half
#   penstock_cuda_object(out source [architecture])   its object file, for
#                                 add_library(); for all of them, or for that one
#   penstock_cudart               the runtime, shared
include_guard(GLOBAL)

set(PENSTOCK_CUDA AUTO CACHE STRING
    "Build for NVIDIA cards: ON, OFF, or AUTO, what there are nvcc and a libtorch for")
set_property(CACHE PENSTOCK_CUDA PROPERTY STRINGS AUTO ON OFF)
set(PENSTOCK_CUDA_ARCHITECTURES "80;90;100;120" CACHE STRING
    "Cards that the CUDA engine has code for; newer ones get the last one's PTX")
if(NOT PENSTOCK_CUDA MATCHES "^(AUTO|ON|OFF|TRUE|FALSE|YES|NO|1|0)$")
  message(FATAL_ERROR "PENSTOCK_CUDA is '${PENSTOCK_CUDA}'; known: AUTO, ON, OFF")
endif()

# What keeps nvcc from being used; empty: nothing does.
function(_penstock_find_nvcc why)
  set(${why} "" PARENT_SCOPE)
  find_program(PENSTOCK_NVCC nvcc HINTS "$ENV{CUDA_HOME}/bin"
                                        /usr/local/cuda/bin)
  mark_as_advanced(PENSTOCK_NVCC)
  if(NOT PENSTOCK_NVCC)
    set(${why} "nvcc is not in PATH, $CUDA_HOME/bin or /usr/local/cuda/bin"
        PARENT_SCOPE)
    return()
  endif()
  get_filename_component(toolkit "${PENSTOCK_NVCC}" REALPATH)
  cmake_path(GET toolkit PARENT_PATH toolkit)
  cmake_path(GET toolkit PARENT_PATH toolkit)
  # Never that of stubs/.
  find_library(PENSTOCK_CUDART cudart NO_DEFAULT_PATH
    HINTS "${toolkit}/lib64" "${toolkit}/lib"
          "${toolkit}/targets/x86_64-linux/lib")
  find_path(PENSTOCK_CUDA_INCLUDE cuda_runtime_api.h NO_DEFAULT_PATH
    HINTS "${toolkit}/include" "${toolkit}/targets/x86_64-linux/include")
  mark_as_advanced(PENSTOCK_CUDART PENSTOCK_CUDA_INCLUDE)
  if(NOT PENSTOCK_CUDART OR NOT PENSTOCK_CUDA_INCLUDE)
    set(${why} "no libcudart.so with cuda_runtime_api.h is beside nvcc in ${toolkit}"
        PARENT_SCOPE)
  endif()
endfunction()

function(_penstock_find_torch_cuda why)
  set(${why} "" PARENT_SCOPE)
  foreach(name IN ITEMS torch_cuda c10_cuda)
    if(NOT EXISTS "${PENSTOCK_LIBTORCH_ROOT}/lib/lib${name}.so")
      set(${why} "lib${name}.so is not in ${PENSTOCK_LIBTORCH_ROOT}/lib"
          PARENT_SCOPE)
    endif()
  endforeach()
endfunction()

set(PENSTOCK_CUDA_FOUND OFF)
set(PENSTOCK_CUDA_IN_LIBTORCH OFF)
if(PENSTOCK_SANITIZER)
  message(STATUS "CUDA: none, a build with a sanitizer runs no card")
elseif(NOT PENSTOCK_CUDA)
  message(STATUS "CUDA: none, as PENSTOCK_CUDA=OFF says")
else()
  _penstock_find_nvcc(penstock_no_nvcc)
  _penstock_find_torch_cuda(penstock_no_torch_cuda)
  if(NOT PENSTOCK_CUDA STREQUAL "AUTO" AND penstock_no_nvcc)
    message(FATAL_ERROR
      "PENSTOCK_CUDA=ON needs nvcc with the CUDA runtime beside it, and "
      "${penstock_no_nvcc}. Install the CUDA toolkit, or set CUDA_HOME.")
  endif()
  if(NOT PENSTOCK_CUDA STREQUAL "AUTO" AND penstock_no_torch_cuda)
    message(FATAL_ERROR
      "PENSTOCK_CUDA=ON needs a whole libtorch with CUDA, and "
      "${penstock_no_torch_cuda}. Pass its folder in CMAKE_PREFIX_PATH "
      "(tools/setup --cuda fetches one), or leave PENSTOCK_CUDA at AUTO for "
      "Gemma's engine alone.")
  endif()
  list(JOIN PENSTOCK_CUDA_ARCHITECTURES ", " penstock_archs)
  if(NOT penstock_no_nvcc)
    set(PENSTOCK_CUDA_FOUND ON)
    set(penstock_engine "Gemma's engine for ${penstock_archs} by ${PENSTOCK_NVCC}")
  endif()
  if(NOT penstock_no_torch_cuda)
    set(PENSTOCK_CUDA_IN_LIBTORCH ON)
  endif()
  if(PENSTOCK_CUDA_FOUND AND PENSTOCK_CUDA_IN_LIBTORCH)
    message(STATUS "CUDA: ${penstock_engine}, and libtorch's for all others")
  elseif(PENSTOCK_CUDA_FOUND)
    message(STATUS "CUDA: ${penstock_engine}; nothing for other stages, "
                   "${penstock_no_torch_cuda}")
  elseif(PENSTOCK_CUDA_IN_LIBTORCH)
    message(STATUS "CUDA: libtorch's; no engine of Gemma's own, ${penstock_no_nvcc}")
  else()
    message(STATUS "CUDA: none, ${penstock_no_nvcc}")
  endif()
endif()

if(PENSTOCK_CUDA_IN_LIBTORCH)
  _penstock_torch_library(torch_cuda "${PENSTOCK_LIBTORCH_ROOT}")
  _penstock_torch_library(c10_cuda "${PENSTOCK_LIBTORCH_ROOT}")
  # Nothing refers to libtorch_cuda by name: keep the linker from dropping it.
  target_link_libraries(penstock::libtorch INTERFACE
    -Wl,--push-state,--no-as-needed penstock::torch_cuda penstock::c10_cuda
    -Wl,--pop-state)
  target_compile_definitions(penstock::libtorch INTERFACE PENSTOCK_CUDA=1)
endif()
if(PENSTOCK_CUDA_FOUND AND NOT TARGET penstock_cudart)
  add_library(penstock_cudart SHARED IMPORTED GLOBAL)
  set_target_properties(penstock_cudart PROPERTIES
    IMPORTED_LOCATION "${PENSTOCK_CUDART}")
  target_include_directories(penstock_cudart SYSTEM INTERFACE
    "${PENSTOCK_CUDA_INCLUDE}")
endif()

function(penstock_cuda_object out source)
  set(architectures ${PENSTOCK_CUDA_ARCHITECTURES})
  if(ARGC GREATER 2)
    set(architectures ${ARGV2})
  endif()
  set(targets "")
  foreach(arch IN LISTS architectures)
    list(APPEND targets "-gencode=arch=compute_${arch},code=sm_${arch}")
  endforeach()
  if(ARGC EQUAL 2)
    list(GET architectures -1 newest)
    list(APPEND targets
      "-gencode=arch=compute_${newest},code=compute_${newest}")
  endif()
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
    COMMENT "nvcc ${source} for ${architectures}"
    COMMAND_EXPAND_LISTS VERBATIM)
  set(${out} "${object}" PARENT_SCOPE)
endfunction()
