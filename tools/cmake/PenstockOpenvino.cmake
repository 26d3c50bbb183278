# penstock::openvino: OpenVINO's runtime, where tools/setup --with openvino has
# put it; no target where it is not. Its own CMake package wants every file of
# the wheel.
include_guard(GLOBAL)
include(PenstockFlags)

penstock_pinned(_penstock_version openvino)
set(PENSTOCK_OPENVINO_ROOT "${PENSTOCK_CACHE_DIR}/openvino-${_penstock_version}"
    CACHE PATH "OpenVINO: a folder with include and lib")
file(GLOB _penstock_library "${PENSTOCK_OPENVINO_ROOT}/lib/libopenvino.so.*")
if(NOT _penstock_library)
  message(STATUS "openvino is not here, so its plugin is left out: "
                 "tools/setup --with openvino")
  return()
endif()
add_library(penstock::openvino SHARED IMPORTED)
set_target_properties(penstock::openvino PROPERTIES
  IMPORTED_LOCATION "${_penstock_library}")
target_include_directories(penstock::openvino SYSTEM INTERFACE
                           "${PENSTOCK_OPENVINO_ROOT}/include")
# Where the installed plugin finds it as well: no path of this machine is needed.
file(MAKE_DIRECTORY "${CMAKE_BINARY_DIR}/lib/penstock")
file(CREATE_LINK "${PENSTOCK_OPENVINO_ROOT}/lib"
     "${CMAKE_BINARY_DIR}/lib/penstock/openvino" SYMBOLIC)
