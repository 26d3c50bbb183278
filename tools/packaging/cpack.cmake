# What tools/package gives to cpack, in its environment: PENSTOCK_TREE, an installed tree that is
# whole, as a .deb below /usr or as a .tar.gz with one folder (PENSTOCK_BELOW).
set(CPACK_INSTALLED_DIRECTORIES "$ENV{PENSTOCK_TREE};$ENV{PENSTOCK_BELOW}")
set(CPACK_PACKAGE_NAME penstock)
set(CPACK_PACKAGE_VERSION "$ENV{PENSTOCK_VERSION}")
set(CPACK_PACKAGE_VENDOR Penstock)
set(CPACK_PACKAGE_CONTACT "Penstock <penstock@penstock.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "inference pipelines made of plugins")
set(CPACK_RESOURCE_FILE_LICENSE "$ENV{PENSTOCK_LICENSE}")
set(CPACK_PACKAGE_FILE_NAME
    "penstock-$ENV{PENSTOCK_VERSION}-linux-$ENV{PENSTOCK_ARCHITECTURE}")
# Without it the .deb would keep the umask of whoever packs.
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
    WORLD_READ WORLD_EXECUTE)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE "$ENV{PENSTOCK_ARCHITECTURE}")
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "$ENV{PENSTOCK_DEPENDS}")
# To write stages; running pipelines needs none of them.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS
    "g++ (>= 4:12), cmake (>= 3.25), make | ninja-build, libgtest-dev, pkg-config")
set(CPACK_PACKAGE_DESCRIPTION
"Raw data in, tensors through, a result for people out: five stages, the same
for every kind of data, are plugins that a YAML file wires together. Programs,
plugins for text, pictures, films and sound, libtorch for the CPU, and what
stages of one's own are built and tested with.")
# dpkg reads zstd since Debian 12; xz takes minutes for libtorch.
set(CPACK_DEBIAN_COMPRESSION_TYPE zstd)
