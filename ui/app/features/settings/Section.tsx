import type { ReactNode } from "react";
import type { ApiError } from "#client/rpc.ts";
import { Skeleton } from "#kit/states.tsx";
import { ErrorNote } from "../../ErrorNote.tsx";
import { w } from "../../words.ts";
import css from "./settings.module.css";

interface SectionProps {
  id: string;
  title: string;
  lead: string;
  /** Beside the heading. */
  tools?: ReactNode;
  children: ReactNode;
}

/** One part of the settings, which can be gone to by its address. */
export function Section({ id, title, lead, tools, children }: SectionProps) {
  return (
    <section className={css.section} aria-labelledby={`settings-${id}`}>
      <div className={css.sectionHead}>
        <h2 id={`settings-${id}`} tabIndex={-1}>{title}</h2>
        {tools}
      </div>
      <p className={css.lead}>{lead}</p>
      {children}
    </section>
  );
}

/** What stands in the place of something that is not known yet. */
export function Missing({ error, again, rows }: { error: ApiError | undefined; again(): void; rows: number }) {
  return error ? <ErrorNote error={error} again={again} /> : <Skeleton rows={rows} label={w.loading} />;
}

/** How much of a bound is used; past it the bar is full and its words say the rest. */
export function Meter({ used, held = 0, of, label }: { used: number; held?: number; of: number; label: string }) {
  const share = (n: number) => `${of > 0 ? Math.min(100, (100 * n) / of) : 100}%`;
  return (
    <div className={css.meter} role="meter" aria-label={label} aria-valuemin={0} aria-valuemax={of} aria-valuenow={Math.min(of, used)} data-full={used >= of || undefined}>
      {held > 0 && <i style={{ width: share(used + held) }} data-held />}
      <i style={{ width: share(used) }} />
    </div>
  );
}
