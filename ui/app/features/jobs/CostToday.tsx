import { useEffect, useState } from "react";
import { Button } from "#kit/core.tsx";
import { compact } from "#kit/format.ts";
import { Pop } from "#kit/overlays.tsx";
import { Money, Seen } from "#kit/values.tsx";
import { useRead } from "../../engine.tsx";
import { w } from "../../words.ts";
import css from "./jobs.module.css";

const midnight = (): number => new Date().setHours(0, 0, 0, 0);

/** This browser's own midnight; moves on when the day does. */
export function useMidnight(): number {
  const [since, setSince] = useState(midnight);
  useEffect(() => {
    const timer = setInterval(() => setSince(midnight()), 60_000);
    return () => clearInterval(timer);
  }, []);
  return since;
}

export function CostToday() {
  const usage = useRead("usage.since", { since: useMidnight() }).value;
  return (
    <Pop
      label={w.usage.title}
      trigger={<Button look="plain"><span className="sr">{w.nav.todayLabel}: </span><Money micro={usage?.cost ?? 0} /><span className={css.word} aria-hidden="true">{w.nav.today}</span></Button>}
    >
      <div className={css.usage}>
        <h2>{w.usage.title}</h2>
        <CostList />
      </div>
    </Pop>
  );
}

export function CostList() {
  const usage = useRead("usage.since", { since: useMidnight() }).value;
  if (!usage || usage.models.length === 0) return <p className="quiet">{w.usage.empty}</p>;
  return (
    <ul className={css.costs}>
      {usage.models.map((m) => (
        <li key={m.model}>
          <span><Seen text={m.model} /><small>{w.usage.requests(m.requests)} · {w.plan.usage(compact(m.input_tokens), compact(m.output_tokens))}</small></span>
          <Money micro={m.cost} />
        </li>
      ))}
      {usage.unpriced > 0 && <li className="quiet">{w.usage.unpriced(usage.unpriced)}</li>}
    </ul>
  );
}
