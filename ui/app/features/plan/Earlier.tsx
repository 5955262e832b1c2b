import { Check, ChevronDown, Columns2 } from "lucide-react";
import { useState } from "react";
import type { Plan } from "#client/api.gen.ts";
import { Button } from "#kit/core.tsx";
import { Dropdown, MenuItem, MenuSeparator } from "#kit/overlays.tsx";
import { RelativeTime, Seen } from "#kit/values.tsx";
import { useAction } from "../../actions.tsx";
import { go } from "../../route.ts";
import { w } from "../../words.ts";
import { comparable } from "./compare.ts";
import { CompareSheet } from "./CompareSheet.tsx";
import css from "./plan.module.css";

interface EarlierProps {
  plans: Plan[];
  current: string | undefined;
  session: string;
  active: boolean;
}

/** The other plans of the session, and what they are beside each other. */
export function Earlier({ plans, current, session, active }: EarlierProps) {
  const [comparing, setComparing] = useState(false);
  const compare = comparable(plans).length > 1 ? () => setComparing(true) : undefined;
  useAction(compare ? { id: "plan.compare", label: w.review.compare.open, run: compare, here: active } : undefined);
  const at = plans.findIndex((p) => p.id === current);
  return (
    <>
      <Dropdown trigger={<Button look="plain"><span className="sr">{w.plan.earlier}: </span>{w.files.total(plans.length - at, plans.length)}<ChevronDown size={14} aria-hidden="true" /></Button>}>
        {plans.map((plan) => (
          <MenuItem key={plan.id} onClick={() => go({ page: "session", session, station: "plan", plan: plan.id })}>
            <span className={css.tick}>{plan.id === current && <Check size={14} />}</span>
            <span className={css.earlier}>
              <span><Seen text={plan.title || w.plan.untitled} /></span>
              <small>{w.plan.states[plan.state]} · {w.plan.steps(plan.step_count)} · <RelativeTime at={plan.created_at} /></small>
            </span>
          </MenuItem>
        ))}
        {compare && <MenuSeparator />}
        {compare && <MenuItem onClick={compare}><span className={css.tick}><Columns2 size={14} /></span>{w.review.compare.open}</MenuItem>}
      </Dropdown>
      <CompareSheet plans={plans} current={current} session={session} open={comparing} onClose={() => setComparing(false)} />
    </>
  );
}
