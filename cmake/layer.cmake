# layer(NAME [USES layer...] [LIBRARIES target...])
#
#   src/NAME/*.cc        -> static library NAME (tests and fuzz targets left out)
#   src/NAME/*_test.cc   -> program NAME_test, with GoogleTest's main
#   src/NAME/*_fuzz.cc   -> program NAME_x_fuzz each, in a fuzzer build
#
# Headers reach a user only through include/NAME, a folder that holds that one layer. So
# `#include "b/x.h"` compiles in layer a if and only if b is a or is named after USES. Nothing is
# inherited: a header that names another layer forces its users to name that layer too.
#
# program(NAME layer) links the executable from the layer that holds main.cc.
# whole_tests() adds tests/*_test.cc, which may see every layer, each with the helpers in the folder
# of its name (tests/x_test.cc and tests/x/*.cc), and tests/*/CMakeLists.txt.
# heart(layer...) names the layers whose tests also run under sanitizers.
#
# Targets that gather: `tests` (all of them, and the program), `heart_tests`, `fuzzers`.

find_package(Threads REQUIRED)
set_property(GLOBAL PROPERTY NANDO_LAYERS "")
add_custom_target(tests)
add_custom_target(heart_tests)
add_custom_target(fuzzers)

function(layer name)
  cmake_parse_arguments(L "" "" "USES;LIBRARIES" ${ARGN})
  set(source_dir ${CMAKE_SOURCE_DIR}/src/${name})
  if(NOT EXISTS ${source_dir})
    return()
  endif()
  set(gate ${CMAKE_BINARY_DIR}/include/${name})
  file(MAKE_DIRECTORY ${gate})
  file(CREATE_LINK ${source_dir} ${gate}/${name} SYMBOLIC)

  set(gates ${gate})
  foreach(used ${L_USES})
    list(APPEND gates ${CMAKE_BINARY_DIR}/include/${used})
  endforeach()

  file(GLOB all CONFIGURE_DEPENDS ${source_dir}/*.cc)
  file(GLOB tests CONFIGURE_DEPENDS ${source_dir}/*_test.cc)
  file(GLOB fuzzers CONFIGURE_DEPENDS ${source_dir}/*_fuzz.cc)
  set(sources ${all})
  list(REMOVE_ITEM sources ${tests} ${fuzzers} ${source_dir}/main.cc)
  if(NOT sources)
    set(sources ${CMAKE_SOURCE_DIR}/cmake/empty.cc)
  endif()

  add_library(${name} STATIC ${sources})
  target_include_directories(${name} PRIVATE ${gates})
  target_link_libraries(${name} PUBLIC ${L_USES} ${L_LIBRARIES} Threads::Threads)
  set_target_properties(${name} PROPERTIES LAYER_GATES "${gates}" LAYER_USES "${L_USES}")
  set_property(GLOBAL APPEND PROPERTY NANDO_LAYERS ${name})

  if(tests AND TARGET GTest::gtest)
    add_executable(${name}_test ${tests})
    target_include_directories(${name}_test PRIVATE ${gates})
    target_link_libraries(${name}_test PRIVATE ${name} GTest::gmock_main GTest::gtest)
    add_dependencies(tests ${name}_test)
  endif()
  if(NANDO_SANITIZE STREQUAL "fuzzer")
    foreach(file ${fuzzers})
      get_filename_component(stem ${file} NAME_WE)
      add_executable(${name}_${stem} ${file})
      target_include_directories(${name}_${stem} PRIVATE ${gates})
      target_link_libraries(${name}_${stem} PRIVATE ${name} -fsanitize=fuzzer)
      add_dependencies(fuzzers ${name}_${stem})
    endforeach()
  endif()
endfunction()

function(program name layer)
  set(main ${CMAKE_SOURCE_DIR}/src/${layer}/main.cc)
  if(NOT TARGET ${layer} OR NANDO_SANITIZE STREQUAL "fuzzer" OR NOT EXISTS ${main})
    return()
  endif()
  get_target_property(gates ${layer} LAYER_GATES)
  add_executable(${name} ${main})
  target_include_directories(${name} PRIVATE ${gates})
  target_link_libraries(${name} PRIVATE ${layer})
  add_dependencies(tests ${name})
endfunction()

# The list is also left in the build folder: tools/test holds every named layer to having run.
function(heart)
  file(WRITE ${CMAKE_BINARY_DIR}/heart.txt "")
  foreach(name ${ARGN})
    if(TARGET ${name}_test)
      add_dependencies(heart_tests ${name}_test)
    endif()
    file(APPEND ${CMAKE_BINARY_DIR}/heart.txt "${name}\n")
  endforeach()
endfunction()

function(whole_tests)
  if(NANDO_SANITIZE STREQUAL "fuzzer" OR NOT TARGET GTest::gtest)
    return()
  endif()
  get_property(layers GLOBAL PROPERTY NANDO_LAYERS)
  file(GLOB folders CONFIGURE_DEPENDS LIST_DIRECTORIES true ${CMAKE_SOURCE_DIR}/tests/*)
  foreach(folder ${folders})
    if(EXISTS ${folder}/CMakeLists.txt)
      get_filename_component(name ${folder} NAME)
      add_subdirectory(${folder} ${CMAKE_BINARY_DIR}/tests/${name})
      get_property(targets DIRECTORY ${folder} PROPERTY BUILDSYSTEM_TARGETS)
      if(targets)
        add_dependencies(tests ${targets})
      endif()
    endif()
  endforeach()
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/*_test.cc)
  foreach(file ${files})
    get_filename_component(stem ${file} NAME_WE)
    string(REGEX REPLACE "_test$" "" name ${stem})
    file(GLOB helpers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/${name}/*.cc)
    set(seen ${layers})
    if(name STREQUAL "tidy")
      set(seen "")  # It only reads, and must run while a layer does not build.
    endif()
    add_executable(${stem} ${file} ${helpers})
    add_dependencies(tests ${stem})
    target_include_directories(${stem} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
    target_compile_definitions(${stem} PRIVATE SOURCE_DIR="${CMAKE_SOURCE_DIR}"
                                               BUILD_DIR="${CMAKE_BINARY_DIR}")
    target_link_libraries(${stem} PRIVATE ${seen} GTest::gmock_main GTest::gtest)
    foreach(layer ${seen})
      target_include_directories(${stem} PRIVATE ${CMAKE_BINARY_DIR}/include/${layer})
    endforeach()
  endforeach()
endfunction()
