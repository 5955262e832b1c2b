import type { Plan } from "#client/api.gen.ts";
import { w } from "../../words.ts";
import { tally, type Held } from "./gate.ts";
import css from "./review.module.css";

const ORDER: Held[] = ["errors", "open", "rejected", "incomplete"];

/** How far the review is, and what would be held back if the plan were handed over now. */
export function ReviewLine({ plan, mayEdit }: { plan: Plan; mayEdit: boolean }) {
  const { accepted, total, held } = tally(plan.steps);
  const back = ORDER.filter((why) => held[why] > 0);
  return (
    <p className={css.line}>
      <span><b>{w.review.gate.accepted(accepted, total)}</b></span>
      {back.length === 0 ? <span>{w.review.gate.free}</span> : (
        <span>{w.review.gate.held}{" "}{back.map((why, i) => <span key={why} data-held={why}>{i > 0 && ", "}{w.review.gate[why](held[why])}</span>)}</span>
      )}
      {!mayEdit && <span>{w.review.mayNot}</span>}
    </p>
  );
}
