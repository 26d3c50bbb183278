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
# penstock_mend(FILE OLD NEW): what is compiled of FILE has NEW for OLD.
function(penstock_mend file old new)
  set(name "_penstock_mended_${file}")
  if(NOT DEFINED "${name}")
    file(READ "${_penstock_root}/cpp/${file}" "${name}")
  endif()
  string(FIND "${${name}}" "${old}" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "${file} of xgrammar ${_penstock_version} has no "
      "'${old}': is it mended in this version?")
  endif()
  string(REPLACE "${old}" "${new}" text "${${name}}")
  set("${name}" "${text}" PARENT_SCOPE)
endfunction()
# In 0.2.8, (ab*)? matches b: what may be left out led to an end from which it
# went on. Here it leads to a state of its own.
penstock_mend(fsm.cc
  "fsm.AddEpsilonEdge(start_, ends_.front());"
  "const auto fresh = fsm.AddState();
    fsm.AddEpsilonEdge(fresh, start_);
    auto ends = ends_;
    ends.push_back(fresh);
    return FSMWithStartEnd(fsm, fresh, ends);")
# And (ab{1,2}){2,} matches ababbbab, in the same way.
penstock_mend(fsm_builder.cc
  "int end_state_of_lower_bound_fsm = -1;"
  "const int last_start = result.NumStates() + child.GetStart();
    int end_state_of_lower_bound_fsm = -1;")
penstock_mend(fsm_builder.cc
  "AddEpsilonEdge(end, end_state_of_lower_bound_fsm)"
  "AddEpsilonEdge(end, last_start)")
# A text that nothing may end is forced without an end (root ::= "a" root), and
# one of 1e9 characters takes a minute: what comes first of it is enough.
penstock_mend(grammar_matcher.cc
  "while (can_find_next_char) {"
  "while (can_find_next_char && num_accepted_chars < 1024) {")
# \x41B was one character. It is two digits, in regexes, in GBNF, and where
# xgrammar itself writes a grammar.
penstock_mend(support/encoding.h
  "while ((digit = HexCharToInt(data[2 + len])) != -1) {"
  "while (len < 2 && (digit = HexCharToInt(data[2 + len])) != -1) {")
file(GLOB_RECURSE _penstock_files RELATIVE "${_penstock_root}/cpp"
     "${_penstock_root}/cpp/*.cc" "${_penstock_root}/cpp/*.h")
set(_penstock_sources)
foreach(file IN LISTS _penstock_files)
  set(_penstock_copy "${CMAKE_BINARY_DIR}/xgrammar/${file}")
  if(DEFINED "_penstock_mended_${file}")
    file(CONFIGURE OUTPUT "${_penstock_copy}"
         CONTENT "${_penstock_mended_${file}}" @ONLY)
  else()
    configure_file("${_penstock_root}/cpp/${file}" "${_penstock_copy}" COPYONLY)
  endif()
  if(file MATCHES "cc$")
    list(APPEND _penstock_sources "${_penstock_copy}")
  endif()
endforeach()
add_library(penstock_xgrammar STATIC EXCLUDE_FROM_ALL ${_penstock_sources})
set_target_properties(penstock_xgrammar PROPERTIES
  CXX_STANDARD 17 UNITY_BUILD ${PENSTOCK_UNITY} UNITY_BUILD_BATCH_SIZE 7)
set_source_files_properties(  # its kStringCacheKey is another file's as well
  "${CMAKE_BINARY_DIR}/xgrammar/json_schema_converter.cc" PROPERTIES
  SKIP_UNITY_BUILD_INCLUSION ON)
target_compile_definitions(penstock_xgrammar PRIVATE
  XGRAMMAR_ENABLE_CPPTRACE=0 XGRAMMAR_LOG_CUSTOMIZE=1)
# Its faults name its files, and those of whoever built it are nobody's business.
target_compile_options(penstock_xgrammar PRIVATE -w
  "-fmacro-prefix-map=${PROJECT_BINARY_DIR}/=")
target_include_directories(penstock_xgrammar SYSTEM
  PUBLIC "${_penstock_root}/include" "${_penstock_root}/3rdparty/dlpack/include"
  PRIVATE "${_penstock_root}/3rdparty/picojson" "${CMAKE_BINARY_DIR}/xgrammar")
find_package(Threads REQUIRED)
target_link_libraries(penstock_xgrammar PUBLIC Threads::Threads)
target_link_options(penstock_xgrammar INTERFACE
  "LINKER:--exclude-libs,libpenstock_xgrammar.a")
