# penstock_xgrammar: the parts of xgrammar that need no Python, as a static
# library of hidden symbols that is built with who links it. Its own build wants
# Python and optimises at link time. Who links it defines what its logging
# calls: LogFatalImpl() and LogMessageImpl().
include_guard(GLOBAL)
include(PenstockFlags)

penstock_pinned(_penstock_version xgrammar)
set(_penstock_root "${PENSTOCK_CACHE_DIR}/xgrammar-${_penstock_version}")
if(NOT EXISTS "${_penstock_root}/cpp")
  message(FATAL_ERROR
    "xgrammar ${_penstock_version} is not in ${_penstock_root}: "
    "run tools/setup")
endif()
file(GLOB_RECURSE _penstock_sources "${_penstock_root}/cpp/*.cc")
add_library(penstock_xgrammar STATIC EXCLUDE_FROM_ALL ${_penstock_sources})
set_target_properties(penstock_xgrammar PROPERTIES
  CXX_STANDARD 17 UNITY_BUILD ${PENSTOCK_UNITY} UNITY_BUILD_BATCH_SIZE 7)
set_source_files_properties(  # its kStringCacheKey is another file's as well
  "${_penstock_root}/cpp/json_schema_converter.cc" PROPERTIES
  SKIP_UNITY_BUILD_INCLUSION ON)
target_compile_definitions(penstock_xgrammar PRIVATE
  XGRAMMAR_ENABLE_CPPTRACE=0 XGRAMMAR_LOG_CUSTOMIZE=1)
target_compile_options(penstock_xgrammar PRIVATE -w)
target_include_directories(penstock_xgrammar SYSTEM
  PUBLIC "${_penstock_root}/include" "${_penstock_root}/3rdparty/dlpack/include"
  PRIVATE "${_penstock_root}/3rdparty/picojson")
find_package(Threads REQUIRED)
target_link_libraries(penstock_xgrammar PUBLIC Threads::Threads)
target_link_options(penstock_xgrammar INTERFACE
  "LINKER:--exclude-libs,libpenstock_xgrammar.a")
