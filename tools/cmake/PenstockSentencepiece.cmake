# penstock::sentencepiece: a static, hidden sentencepiece with the protobuf-lite
# it brings along; none of its symbols leave the library that links it.
include_guard(GLOBAL)
include(PenstockFlags)

penstock_pinned(_penstock_version sentencepiece)
set(_penstock_root "${PENSTOCK_CACHE_DIR}/sentencepiece-${_penstock_version}")
if(NOT EXISTS "${_penstock_root}/lib/libsentencepiece.a")
  message(FATAL_ERROR
    "sentencepiece ${_penstock_version} is not in ${_penstock_root}: "
    "run tools/setup")
endif()
add_library(penstock::sentencepiece STATIC IMPORTED GLOBAL)
# SYSTEM OFF: libtorch ships other protobuf headers, so ours must come first
# (-I before -isystem); they silence their own warnings.
set_target_properties(penstock::sentencepiece PROPERTIES
  SYSTEM OFF
  IMPORTED_LOCATION "${_penstock_root}/lib/libsentencepiece.a")
target_include_directories(penstock::sentencepiece INTERFACE
  "${_penstock_root}/include")
find_package(Threads REQUIRED)
target_link_libraries(penstock::sentencepiece INTERFACE Threads::Threads)
target_link_options(penstock::sentencepiece INTERFACE
  "LINKER:--exclude-libs,libsentencepiece.a")
# A plain text file (278,779 bytes) to test tokenizers on.
set(PENSTOCK_BOTCHAN "${_penstock_root}/share/botchan.txt")
