import { Ellipsis, FileCheck2, ListChecks, PanelsTopLeft, SquareTerminal, type LucideIcon } from "lucide-react";
import { cx } from "#kit/core.tsx";
import { useRead } from "./engine.tsx";
import { href, type Route } from "./route.ts";
import css from "./shell.module.css";
import { w } from "./words.ts";

/** The places of a phone. */
export function BottomBar({ route }: { route: Route }) {
  const jobs = useRead("jobs.list", {}).value?.jobs ?? [];
  const waiting = jobs.filter((j) => j.state === "waiting_approval").length;
  const running = jobs.filter((j) => j.state === "running" || j.state === "queued").length;
  return (
    <nav className={css.bottom} aria-label={w.nav.main}>
      <Place icon={PanelsTopLeft} label={w.nav.sessions} to={{ page: "home" }} here={["home", "project", "session"].includes(route.page)} />
      <Place icon={FileCheck2} label={w.nav.approvals} to={{ page: "approvals" }} here={route.page === "approvals"} n={waiting} />
      <Place icon={SquareTerminal} label={w.nav.terminals} to={{ page: "terminals" }} here={route.page === "terminals"} />
      <Place icon={ListChecks} label={w.nav.jobs} to={{ page: "jobs" }} here={route.page === "jobs"} n={running} />
      <Place icon={Ellipsis} label={w.nav.more} to={{ page: "more" }} here={route.page === "more" || route.page === "devices" || route.page === "settings"} />
    </nav>
  );
}

interface PlaceProps {
  icon: LucideIcon;
  label: string;
  to: Route;
  here: boolean;
  n?: number;
}

function Place({ icon: Icon, label, to, here, n = 0 }: PlaceProps) {
  return (
    <a className={cx(css.place, here && css.placeHere)} href={href(to)} aria-current={here ? "page" : undefined}>
      <Icon size={20} aria-hidden="true" />
      <span>{label}{n > 0 && <b className={css.badge}>{n}</b>}</span>
    </a>
  );
}
