import { Check, ChevronDown } from "lucide-react";
import type { Plan } from "#client/api.gen.ts";
import { Button } from "#kit/core.tsx";
import { Dropdown, MenuItem } from "#kit/overlays.tsx";
import { RelativeTime } from "#kit/values.tsx";
import { go } from "../../route.ts";
import { w } from "../../words.ts";
import css from "./plan.module.css";

/** The other plans of the session. */
export function Earlier({ plans, current, session }: { plans: Plan[]; current: string | undefined; session: string }) {
  const at = plans.findIndex((p) => p.id === current);
  return (
    <Dropdown trigger={<Button look="plain"><span className="sr">{w.plan.earlier}: </span>{w.files.total(plans.length - at, plans.length)}<ChevronDown size={14} aria-hidden="true" /></Button>}>
      {plans.map((plan) => (
        <MenuItem key={plan.id} onClick={() => go({ page: "session", session, station: "plan", plan: plan.id })}>
          <span className={css.tick}>{plan.id === current && <Check size={14} />}</span>
          <span className={css.earlier}>
            <span>{plan.title || w.plan.untitled}</span>
            <small>{w.plan.states[plan.state]} · {w.plan.steps(plan.step_count)} · <RelativeTime at={plan.created_at} /></small>
          </span>
        </MenuItem>
      ))}
    </Dropdown>
  );
}
