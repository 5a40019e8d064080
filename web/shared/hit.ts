/** A view as it is sent; docs/reference/tracker.md says what is in it. */
export interface Hit {
  id: string;
  referrer: string;
  url: string;
  /** Where the page has a <hit-winner>, whose script adds it. */
  secret_hash?: string;
}

/**
 * Hits that are not known to be counted, oldest first. The tracker leaves it on the document under
 * its server's address, where the script of <hit-winner> meets each hit before it is sent, and
 * each answer as its hit is deleted.
 */
export interface Waiting extends Set<Hit> {
  delete(hit: Hit, answer?: Response): boolean;
}
