// What flies when somebody won: out of `from`, through `sky`, down and away. Nothing where less
// motion is wanted.

const pieces = 40;

export function celebrate(from: HTMLElement, sky: HTMLElement) {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  const { left, top, width } = from.getBoundingClientRect();
  for (let at = 0; at < pieces; at++) {
    const piece = document.createElement("i");
    const place = `left:${left + width / 2}px;top:${top}px`;
    piece.style.cssText = `${place};background:hsl(${at * 47} 90% 50%)`;
    sky.append(piece);
    const far = 4 + 6 * Math.random();
    const [x, y] = [Math.cos(at) * far * 1.5, Math.sin(at) * far - 5];
    const by = (down: number) => `translate(${x}em,${y + down}em) rotate(${x * (9 + down)}deg)`;
    const frames = [
      { transform: "none", easing: "ease-out" },
      { transform: by(0), offset: 0.3, easing: "ease-in" },
      { transform: by(9), opacity: 0 },
    ];
    const flight = 1100 + 70 * far;
    piece.animate(frames, flight).onfinish = () => piece.remove();
  }
}
