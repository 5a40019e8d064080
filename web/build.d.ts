// What build.mjs puts into scripts when it builds them.

/** Where the elements' script is on the server, with its hash: "js/elements-HASH.js". */
declare const ELEMENTS_SCRIPT: string;
