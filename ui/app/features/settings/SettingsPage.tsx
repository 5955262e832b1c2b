import { useEffect } from "react";
import { cx } from "#kit/core.tsx";
import { href } from "../../route.ts";
import { w } from "../../words.ts";
import { Budgets } from "./Budgets.tsx";
import { Permissions } from "./Permissions.tsx";
import { SECTIONS, sectionTitle } from "./sections.ts";
import { Usage } from "./Usage.tsx";
import css from "./settings.module.css";

/** What the engine keeps to. `section` is the part that the address names. */
export function SettingsPage({ section }: { section: string | undefined }) {
  useEffect(() => {
    // The focus goes along, so that Tab goes on from there.
    if (section !== undefined) document.getElementById(`settings-${section}`)?.focus({ preventScroll: false });
  }, [section]);
  return (
    <div className={css.page}>
      <div className={css.top}>
        <h1>{w.settings.title}</h1>
        <p className="quiet">{w.settings.lead}</p>
      </div>
      <nav className={css.nav} aria-label={w.settings.nav}>
        {SECTIONS.map((s) => (
          <a key={s} className={cx(css.place, s === section && css.here)} href={href({ page: "settings", section: s })} aria-current={s === section ? "true" : undefined}>{sectionTitle(s)}</a>
        ))}
      </nav>
      <div className={css.sections}>
        <Permissions />
        <Budgets />
        <Usage />
      </div>
    </div>
  );
}
