// What <hit-winner> says, unless the page says it: each by an attribute of that name, or by what it
// puts into a slot of that name.

export const texts = {
  ask: "Did I win?",
  waiting: "Your visit is being counted.",
  asking: "One moment.",
  won: "You won!",
  lost: "Not this time: you were hit {hit}.",
  pending: "You are in. Come back after {date}.",
  undated: "You are in. It is not decided yet.",
  no_entry: "You were hit {hit}, but this visit is not in the draw.",
  lapsed: "You were hit {hit} and had won, but the time to claim it is over.",
  no_stock: "You were hit {hit} and had won, but no prize was left.",
  unknown: "This page cannot tell whether you won.",
  refused: "This ticket is not good here.",
  error: "No answer. Ask again: it is safe.",
  link: "Open your prize",
  copy: "Copy",
  keep: "Keep my ticket",
  keeping: "Whoever has this link has the ticket. Open it later and see.",
  copy_link: "Copy link",
  download: "Save as a file",
  copied: "Copied.",
  use: "I have a ticket",
};

export type TextName = keyof typeof texts;
