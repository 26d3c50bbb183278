# penstock::xgrammar: a static, hidden xgrammar; none of its symbols leave the
# library that links it. Who links it defines what its logging calls.
include_guard(GLOBAL)
include(PenstockFlags)

penstock_pinned(_penstock_version xgrammar)
set(_penstock_root "${PENSTOCK_CACHE_DIR}/xgrammar-${_penstock_version}")
if(NOT EXISTS "${_penstock_root}/lib/libxgrammar.a")
  message(FATAL_ERROR
    "xgrammar ${_penstock_version} is not in ${_penstock_root}: "
    "run tools/setup")
endif()
add_library(penstock::xgrammar STATIC IMPORTED GLOBAL)
set_target_properties(penstock::xgrammar PROPERTIES
  IMPORTED_LOCATION "${_penstock_root}/lib/libxgrammar.a")
target_include_directories(penstock::xgrammar SYSTEM INTERFACE
  "${_penstock_root}/include")
find_package(Threads REQUIRED)
target_link_libraries(penstock::xgrammar INTERFACE Threads::Threads)
target_link_options(penstock::xgrammar INTERFACE
  "LINKER:--exclude-libs,libxgrammar.a")
