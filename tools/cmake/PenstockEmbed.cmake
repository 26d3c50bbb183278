# penstock_embed(TARGET OUTPUT files...): the bytes of text files, compiled in.
# OUTPUT is a source that is made when one of them changes; it defines
# penstock::serve::page_files() of pipeline_serve/api/page_files.h.
if(CMAKE_SCRIPT_MODE_FILE)
  # cmake -DOUTPUT=... "-DFILES=a;b" -P PenstockEmbed.cmake
  set(entries "")
  foreach(file IN LISTS FILES)
    file(READ "${file}" bytes HEX)
    string(REGEX REPLACE "(..)" "\\\\x\\1" bytes "${bytes}")
    # A compiler need not take longer lines.
    string(REGEX REPLACE "(................................................................)"
           "\\1\"\n    \"" bytes "${bytes}")
    get_filename_component(name "${file}" NAME)
    string(APPEND entries "  {\"${name}\",\n    \"${bytes}\"sv},\n")
  endforeach()
  file(WRITE "${OUTPUT}"
"// Made by PenstockEmbed.cmake.
#include \"pipeline_serve/api/page_files.h\"

using std::string_view_literals::operator\"\"sv;

std::span<const penstock::serve::PageFile> penstock::serve::page_files() {
  static constexpr PageFile kFiles[] = {
${entries}  };
  return kFiles;
}
")
  return()
endif()

include_guard(GLOBAL)
set(_penstock_embed "${CMAKE_CURRENT_LIST_FILE}")

function(penstock_embed target output)
  set(files ${ARGN})
  list(TRANSFORM files PREPEND "${CMAKE_CURRENT_SOURCE_DIR}/")
  add_custom_command(
    OUTPUT "${CMAKE_CURRENT_BINARY_DIR}/${output}"
    COMMAND "${CMAKE_COMMAND}" "-DOUTPUT=${CMAKE_CURRENT_BINARY_DIR}/${output}"
            "-DFILES=${files}" -P "${_penstock_embed}"
    DEPENDS ${files} "${_penstock_embed}"
    VERBATIM)
  target_sources(${target} PRIVATE "${CMAKE_CURRENT_BINARY_DIR}/${output}")
endfunction()
