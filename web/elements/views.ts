// Which view the page is at, as far as <hit-winner> is concerned: its secret, which is kept here
// and nowhere else, and the receipt that the answer to its hit brings. Each view has its own.
import type { Hit, Waiting } from "../shared/hit";
import { hashOf, newSecret } from "./secret";

export interface View {
  readonly secret: string;
  /** Not there until the hit is answered; empty where the answer has none. */
  receipt?: string;
}

/** The view that was begun last. */
export let view: View | undefined;

export const watchers = new Set<{ renew(): void }>();

const tell = () => {
  for (const watcher of watchers) watcher.renew();
};

/** A view begins, whose hit is not sent yet. The result is to be told its receipt, or that "". */
export function begin(hit: Pick<Hit, "secret_hash">): (receipt: string) => void {
  const secret = newSecret();
  const begun: View = { secret };
  view = begun;
  hit.secret_hash = hashOf(secret);
  tell();
  return (receipt) => {
    begun.receipt = receipt;
    tell();
  };
}

/** From here on no hit is sent without the hash of a secret, and no answer missed. */
export function follow(waiting: Waiting) {
  const { add, delete: remove } = Set.prototype;
  const answered = new WeakMap<Hit, (receipt: string) => void>();

  const prepare = (hit: Hit) => answered.set(hit, begin(hit));
  const read = async (hit: Hit, answer: Response) => {
    let receipt = "";
    try {
      receipt = (await answer.json()).receipt || "";
    } catch {
      // Whatever it was, it has none.
    }
    answered.get(hit)?.(receipt);
  };

  waiting.add = (hit) => {
    prepare(hit);
    return add.call(waiting, hit) as Waiting;
  };
  waiting.delete = (hit, answer) => {
    const was = remove.call(waiting, hit);
    if (was && answer) void read(hit, answer);
    return was;
  };
  // The tag came later than the hit, which went without a secret.
  if (!waiting.size) view = { secret: "", receipt: "" };
  waiting.forEach(prepare);
}
