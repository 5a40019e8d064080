/**
 * This page as it is counted, without its hash: servers are not told one. Where the tracker's tag
 * has `data-hash` it becomes the end of the path, before the query, escaped.
 */
export const pageUrl = (tracker: HTMLElement): string =>
  location.href.replace(/(\?[^#]*)?#(.*)/, "hash" in tracker.dataset ? "%23$2$1" : "$1");
