import css from "./kit.module.css";
import { seen } from "./invisible.ts";

/** Words of others: what would not be seen in them is shown by its code point. */
export function Seen({ text }: { text: string }) {
  return seen(text).map((part, i) => ("sign" in part ? <span key={i} className={css.unseen} title={part.sign}>{part.sign}</span> : part.text));
}
