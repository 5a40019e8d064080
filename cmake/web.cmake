# web_assets(LAYER) builds web/ (web/build.mjs says what from what) and adds the table of the result
# to that layer. It runs in each build folder that links the layer, when something in web/ is newer.
#
# Node is the system's where that is new enough, else the one that tools/setup brought.
set(node_home ${CMAKE_SOURCE_DIR}/build/third_party/node)

function(node_is_new_enough result node)
  execute_process(COMMAND ${node} --version OUTPUT_VARIABLE version ERROR_QUIET
                  OUTPUT_STRIP_TRAILING_WHITESPACE)
  string(REGEX REPLACE "^v" "" version "${version}")
  if(version VERSION_LESS 20.19)
    set(${result} FALSE PARENT_SCOPE)
  endif()
endfunction()

find_program(node_path NAMES node HINTS ${node_home} VALIDATOR node_is_new_enough REQUIRED)

function(web_assets layer)
  set(web ${CMAKE_SOURCE_DIR}/web)
  set(output ${CMAKE_BINARY_DIR}/web)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS
       ${web}/tracker/* ${web}/elements/* ${web}/shared/* ${web}/pages/*)
  file(GLOB plan CONFIGURE_DEPENDS ${web}/*.mjs ${web}/*.ts ${web}/*.json)
  add_custom_command(
    OUTPUT ${output}/assets.cc
    COMMAND ${node_path} ${web}/build.mjs ${output}
    DEPENDS ${sources} ${plan}
    COMMENT "web: scripts and pages"
    VERBATIM)
  target_sources(${layer} PRIVATE ${output}/assets.cc)
endfunction()
