// A ticket that was kept: what a claim needs, as the end of the page's address. A file holds that
// address; so does anything else that was pasted into one.

export interface Ticket {
  receipt: string;
  secret: string;
  /** The name of the promotion; it says which element of a page the ticket is for. */
  promotion: string;
}

// The name is last: it does not end in a mark that a program might leave out of a link.
const pattern = /#hit-winner=(?<receipt>[\w-]+)\.(?<secret>[\w-]+)\.(?<promotion>[\w-]*)/;

export const ticketIn = (text: string) =>
  pattern.exec(text)?.groups as unknown as Ticket | undefined;

export const linkOf = ({ receipt, secret, promotion }: Ticket) =>
  `${location.href.split("#hit-winner")[0]}#hit-winner=${receipt}.${secret}.${promotion}`;

/** The ticket that the page was opened with. It leaves the address at once. */
export function ticketOpened(): Ticket | undefined {
  const { href } = location;
  const ticket = ticketIn(href);
  if (ticket) {
    history.replaceState(history.state, "", href.split("#hit-winner")[0]);
    // Whoever goes by the hash has seen the ticket in it.
    dispatchEvent(new HashChangeEvent("hashchange"));
  }
  return ticket;
}
