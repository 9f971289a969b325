# How the scripts have the library in the bitcoinkernel crate compiled: with little optimisation and no debug information, which takes half as long and is a
# tenth as large. cmake finds this file in the environment variable CMAKE_TOOLCHAIN_FILE.
foreach(configuration RELEASE RELWITHDEBINFO)
    set(CMAKE_CXX_FLAGS_${configuration} -O1 CACHE STRING "")
    set(CMAKE_C_FLAGS_${configuration} -O2 CACHE STRING "")
endforeach()
