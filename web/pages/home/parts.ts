// The parts of the page, and what is done to them again and again.

export function part<Kind extends HTMLElement = HTMLElement>(name: string): Kind {
  const found = document.getElementById(name);
  if (!found) throw new Error(`this page has no #${name}`);
  return found as Kind;
}

export function show(name: string, isShown: boolean): void {
  part(name).hidden = !isShown;
}

/** Text that is there already stays, and with it what somebody has selected of it. */
export function write(name: string, text: string): void {
  const place = part(name);
  if (place.textContent !== text) place.textContent = text;
}

/**
 * Makes the children of `name` those of `keys`, in their order, and returns them. Of a key that was
 * there already the child stays as it is, with the focus that may be in it.
 */
export function keep(
  name: string,
  keys: string[],
  make: (key: string) => HTMLElement,
): HTMLElement[] {
  const list = part(name);
  const focused = document.activeElement;
  const old = [...list.children] as HTMLElement[];
  for (const child of old) if (!keys.includes(child.dataset["key"] ?? "")) child.remove();
  const made = keys.map((key, at) => {
    const child = old.find((each) => each.dataset["key"] === key) ?? make(key);
    child.dataset["key"] = key;
    const there = list.children.item(at);
    if (there !== child) list.insertBefore(child, there);
    return child;
  });
  // A child that changed its place has lost it.
  if (focused instanceof HTMLElement && focused !== document.activeElement) {
    if (list.contains(focused)) focused.focus({ preventScroll: true });
  }
  return made;
}

const saidForMs = 6000;
let silence = 0;

/** Said by screen readers, and to be read above everything for a while. */
export function say(text: string): void {
  part("status").textContent = text;
  clearTimeout(silence);
  silence = setTimeout(() => (part("status").textContent = ""), saidForMs);
}

export const inWords = (count: number): string =>
  count.toLocaleString(document.documentElement.lang);

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : "Something went wrong.";

/** Does `work` once at a time, however often the button is pressed, and says what went wrong. */
export function whenPressed(name: string, work: () => Promise<void>): void {
  const button = part<HTMLButtonElement>(name);
  button.addEventListener("click", () => {
    void busy(button, work).catch((error: unknown) => say(messageOf(error)));
  });
}

export function whenSent(name: string, work: (form: HTMLFormElement) => Promise<void>): void {
  const form = part<HTMLFormElement>(name);
  const problem = form.querySelector<HTMLElement>(".problem");
  const button = form.querySelector("button");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (problem) problem.textContent = "";
    void busy(button, () => work(form)).catch((error: unknown) => {
      if (problem) problem.textContent = messageOf(error);
    });
  });
}

async function busy(button: HTMLButtonElement | null, work: () => Promise<void>): Promise<void> {
  if (!button || button.ariaDisabled === "true") return;
  button.ariaDisabled = "true";
  try {
    await work();
  } finally {
    button.ariaDisabled = null;
  }
}

export function field(form: HTMLFormElement, name: string): string {
  return String(new FormData(form).get(name) ?? "");
}
