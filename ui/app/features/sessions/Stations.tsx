import { Fragment, useEffect, useRef } from "react";
import { cx, type Tone } from "#kit/core.tsx";
import { money } from "#kit/format.ts";
import { useAction } from "../../actions.tsx";
import { useRead } from "../../engine.tsx";
import { go, href, STATIONS, type Route, type Station } from "../../route.ts";
import { w } from "../../words.ts";
import css from "./session.module.css";
import { useSessionView, type SessionView } from "./view.ts";

interface Mark {
  detail?: string | undefined;
  tone?: Tone;
  done?: boolean;
}

/** What each station says of itself on the line. */
export function marks(view: SessionView, running = 0): Record<Station, Mark> {
  const { manifest, job } = view.approval;
  const plan = view.plans?.[0];
  const stale = view.ranking && !view.ranking.current && view.included > 0;
  const waiting = manifest?.state === "waiting" && job?.state === "waiting_approval";
  const findings = plan ? plan.errors + plan.warnings : 0;
  return {
    task: { done: (view.session?.task ?? "").trim() !== "" },
    files: {
      done: view.included > 0 && !stale,
      detail: stale ? `${view.included}, ${w.stations.older}` : view.included > 0 ? String(view.included) : undefined,
      ...(stale ? { tone: "waiting" as const } : {}),
    },
    approve: {
      done: manifest?.state === "approved",
      detail: waiting
        ? manifest.cost_estimate === undefined ? w.stations.waiting : money(manifest.cost_estimate)
        : manifest?.state === "approved" ? w.stations.sent : undefined,
      ...(waiting ? { tone: "needs" as const } : {}),
    },
    plan: {
      done: plan?.state === "complete",
      detail: plan && planDetail(plan.state, plan.step_count, findings),
      ...(plan?.state === "cut" || plan?.state === "unreadable" ? { tone: "needs" as const } : {}),
    },
    run: running > 0 ? { detail: w.terminals.run.detail(running), done: true } : {},
    compare: {},
  };
}

function planDetail(state: string, steps: number, findings: number): string {
  if (state === "streaming") return w.stations.writing(steps);
  if (state === "unreadable") return w.stations.unreadable;
  return state === "cut" ? `${w.stations.steps(steps, findings)}, ${w.stations.cut}` : w.stations.steps(steps, findings);
}

/** The way from words to code, and where one is on it. */
export function Stations({ route }: { route: Route & { page: "session" } }) {
  const view = useSessionView(route.session);
  const terminals = useRead("terminals.list", {}).value?.terminals ?? [];
  const all = marks(view, terminals.filter((t) => t.session === route.session && t.state === "running").length);
  const line = useRef<HTMLElement>(null);
  const widths = STATIONS.map((station) => all[station].detail).join();
  useEffect(() => {
    // On a narrow screen the line is longer than the window: where one is stays in sight.
    line.current?.querySelector("[aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });
  }, [route.station, widths]);
  return (
    <nav ref={line} className={css.stations} aria-label={w.stations.label}>
      <ol>
        {STATIONS.map((station, i) => (
          <Fragment key={station}>
            {i > 0 && <li className={css.track} aria-hidden="true" />}
            <li><StationLink station={station} n={i + 1} mark={all[station]} route={route} /></li>
          </Fragment>
        ))}
      </ol>
    </nav>
  );
}

interface StationProps {
  station: Station;
  n: number;
  mark: Mark;
  route: Route & { page: "session" };
}

function StationLink({ station, n, mark, route }: StationProps) {
  const to: Route = { page: "session", session: route.session, station };
  const soon = station === "compare";
  const here = route.station === station;
  useAction({ id: `station.${station}`, label: `${w.stations.label.split(" ")[0]?.replace(/s$/, "")} ${n}: ${w.stations[station]}`, keys: `Mod+${n} Alt+${n}`, run: () => go(to) });
  return (
    <a
      href={href(to)}
      aria-current={here ? "step" : undefined}
      className={cx(css.station, here && css.here, mark.done && css.done, soon && css.soon)}
      title={soon ? w.stations.soon.compare : undefined}
    >
      <i aria-hidden="true" className={cx(mark.tone && css[mark.tone])} />
      {w.stations[station]}
      {mark.detail !== undefined && <span className={cx(css.detail, mark.tone && css[mark.tone])}>({mark.detail})</span>}
    </a>
  );
}
