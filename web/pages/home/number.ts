// The big number: an odometer, digit by digit, that says itself as text to those who do not see it.
import { inWords } from "./parts";

const columnText = "0123456789".split("").join("\n");

/** Shows `count` in `place`; only the digits that differ move. */
export function showNumber(place: HTMLElement, count: number): void {
  const text = inWords(count);
  if (place.dataset["shown"] === text) return;
  place.dataset["shown"] = text;
  place.classList.toggle("long", text.length > 5);
  const said = child(place, "said");
  said.textContent = text;
  let digits = [...place.querySelectorAll<HTMLElement>(".digit")];
  if (digits.length !== text.length) {
    for (const digit of digits) digit.remove();
    digits = [...text].map((sign) => append(place, sign));
  }
  digits.forEach((digit, at) => turn(digit, text.charAt(at)));
}

function child(place: HTMLElement, name: string): HTMLElement {
  const found = place.querySelector<HTMLElement>(`.${name}`);
  if (found) return found;
  const made = document.createElement("span");
  made.className = name;
  place.append(made);
  return made;
}

function append(place: HTMLElement, sign: string): HTMLElement {
  const digit = document.createElement("span");
  digit.className = "digit";
  digit.ariaHidden = "true";
  const column = document.createElement("span");
  if (isDigit(sign)) column.style.whiteSpace = "pre";
  digit.append(column);
  place.append(digit);
  return digit;
}

const isDigit = (sign: string): boolean => sign >= "0" && sign <= "9";

function turn(digit: HTMLElement, sign: string): void {
  const column = digit.firstElementChild as HTMLElement;
  if (isDigit(sign)) {
    if (column.textContent !== columnText) column.textContent = columnText;
    column.style.setProperty("--shown", sign);
  } else {
    column.textContent = sign;
    column.style.setProperty("--shown", "0");
  }
}
