// What build.mjs puts into scripts when it builds them.

/** The file name of the elements' script, with its hash. */
declare const ELEMENTS_SCRIPT: string;
