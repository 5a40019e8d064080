// What build.mjs puts into scripts when it builds them.

/** What stands in the names of the elements' scripts on the server: "js/TAG-HASH.js". */
declare const HASH: string;

/** A style sheet as the text that goes into a shadow root. */
declare module "*.css?inline" {
  const text: string;
  export default text;
}
