# Writes penstock/sdk_version.h: the version and a hash of the public headers
# but testing/, of which nothing passes between a plugin and its host. What is
# only a comment or a blank line is no part of it: to say a thing better must not
# refuse a plugin.
# Sets PENSTOCK_GENERATED_INCLUDE_DIR, which belongs on the include path beside
# framework/include. A changed header configures again and gives another hash.
include_guard(GLOBAL)

function(penstock_sdk_version)
  set(headers_dir "${PROJECT_SOURCE_DIR}/framework/include")
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS
       RELATIVE "${headers_dir}" "${headers_dir}/penstock/*.h")
  list(FILTER headers EXCLUDE REGEX "^penstock/testing/")
  list(SORT headers)
  set(digests "")
  foreach(header IN LISTS headers)
    file(READ "${headers_dir}/${header}" code)
    string(REGEX REPLACE "//[^\n]*" "" code "${code}")
    string(REGEX REPLACE "[ \t]*\n[ \t\n]*" "\n" code "${code}")
    string(SHA256 digest "${code}")
    string(APPEND digests "${header} ${digest}\n")
    set_property(DIRECTORY "${PROJECT_SOURCE_DIR}" APPEND PROPERTY
                 CMAKE_CONFIGURE_DEPENDS "${headers_dir}/${header}")
  endforeach()
  string(SHA256 hash "${digests}")
  string(SUBSTRING "${hash}" 0 16 PENSTOCK_SDK_HASH)
  configure_file(
    "${PROJECT_SOURCE_DIR}/framework/src/plugin/sdk_version.h.in"
    "${PENSTOCK_GENERATED_INCLUDE_DIR}/penstock/sdk_version.h" @ONLY)
endfunction()

set(PENSTOCK_GENERATED_INCLUDE_DIR "${PROJECT_BINARY_DIR}/include"
    CACHE INTERNAL "where generated headers are")
penstock_sdk_version()
