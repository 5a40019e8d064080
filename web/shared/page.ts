/**
 * This page as it is counted, without its hash: servers are not told one. Where the tracker's tag
 * has `data-hash` it becomes the end of the path, before the query, escaped. A kept ticket, which
 * stands after all else in its link, is never part of the page.
 */
export const pageUrl = (tracker: HTMLElement): string =>
  location.href
    .replace(/#hit-winner.*/, "")
    .replace(/(\?[^#]*)?#(.*)/, "hash" in tracker.dataset ? "%23$2$1" : "$1");
