import { PanelLeftClose, PanelLeftOpen, PanelRightClose, PanelRightOpen, SquareTerminal, GitCompareArrows } from "lucide-react";
import { useEffect, useState } from "react";
import { IconButton } from "#kit/core.tsx";
import { Splitter } from "#kit/splitter.tsx";
import { EmptyState, Skeleton } from "#kit/states.tsx";
import { Seen } from "#kit/values.tsx";
import { useAction } from "../../actions.tsx";
import { useEngine } from "../../engine.tsx";
import { ErrorNote } from "../../ErrorNote.tsx";
import { usePref } from "../../prefs.ts";
import { go, type Route, type Station } from "../../route.ts";
import { useWide } from "../../wide.ts";
import { w } from "../../words.ts";
import { ApprovalPane } from "../approval/ApprovalPane.tsx";
import { FilesPane } from "../files/FilesPane.tsx";
import { asks } from "../jobs/asking.ts";
import { PlanPane } from "../plan/PlanPane.tsx";
import { RunPane } from "../terminals/RunPane.tsx";
import { SessionTerminals } from "../terminals/SessionTerminals.tsx";
import { TaskPane } from "../task/TaskPane.tsx";
import css from "./session.module.css";
import { useSessionView, type SessionView } from "./view.ts";

type SessionRoute = Route & { page: "session" };

interface PageProps {
  route: SessionRoute;
  openAccount(): void;
}

export function SessionPage({ route, openAccount }: PageProps) {
  const view = useSessionView(route.session);
  const wide = useWide();
  useStationFocus(route.station, wide && view.session !== undefined);
  if (!view.session) {
    return (
      <div style={{ padding: 16 }}>
        {view.error ? <ErrorNote error={view.error} /> : <Skeleton label={w.loading} />}
      </div>
    );
  }
  if (!wide) return <div className={css.full}><Heading view={view} /><StationPage station={route.station} view={view} route={route} openAccount={openAccount} /></div>;
  return <><Heading view={view} /><Panes view={view} route={route} openAccount={openAccount} /></>;
}

/** The page's name for those who hear it; those who see it have the header. */
const Heading = ({ view }: { view: SessionView }) => <h1 className="sr"><Seen text={view.session?.title || w.sessions.untitled} /></h1>;

interface StationPageProps {
  station: Station;
  view: SessionView;
  route: SessionRoute;
  openAccount(): void;
}

function StationPage({ station, view, route, openAccount }: StationPageProps) {
  switch (station) {
    case "task":
      return <TaskPane view={view} active={route.station === "task"} openAccount={openAccount} />;
    case "files":
      return <FilesPane view={view} active={route.station === "files"} openAccount={openAccount} />;
    case "approve":
      return <ApprovalPane view={view} active={route.station === "approve"} chosen={route.job} />;
    case "plan":
      return <PlanPane view={view} active={route.station === "plan"} chosen={route.plan} />;
    case "run":
      return <RunPane view={view} />;
    case "compare":
      return <div className={css.soonPage}><EmptyState icon={GitCompareArrows} title={w.stations.soon.compare} /></div>;
  }
}

/** Going to a station by key or by its link takes the focus along. */
function useStationFocus(station: Station, on: boolean): void {
  useEffect(() => {
    if (!on) return;
    // After a hidden pane has come back.
    const timer = setTimeout(() => {
      const pane = document.querySelector<HTMLElement>(`[data-pane="${station}"]`);
      if (!pane || pane.contains(document.activeElement)) return;
      const first = pane.querySelector<HTMLElement>("textarea, li input[type=checkbox], [data-step]") ?? pane.querySelector<HTMLElement>("summary");
      first?.focus({ preventScroll: true });
    }, 0);
    return () => clearTimeout(timer);
  }, [station, on]);
}

/** What the right side shows while one works on the left. */
function rightStation(route: SessionRoute, view: SessionView): Station {
  if (route.station !== "task" && route.station !== "files") return route.station;
  const { job } = view.approval;
  return job && asks(job) ? "approve" : "plan";
}

function Panes({ view, route, openAccount }: { view: SessionView; route: SessionRoute; openAccount(): void }) {
  const { prefs } = useEngine();
  const [columns, setColumns] = usePref(prefs, "columns", 0.4);
  const [rows, setRows] = usePref(prefs, "rows", 0.34);
  const [hidden, setHidden] = usePref<"left" | "right" | "none">(prefs, "hidden", "none");
  const right = rightStation(route, view);
  const here = route.station === "task" || route.station === "files" ? "left" : "right";
  const toggle = (side: "left" | "right") => {
    if (hidden !== side && here === side) go({ ...route, station: side === "left" ? right : "files", plan: undefined }, true);
    setHidden(hidden === side ? "none" : side);
  };
  useEffect(() => {
    // A station that one goes to is shown, whatever was hidden before.
    if (hidden === here) prefs.set("hidden", "none");
  }, [hidden, here, prefs]);
  useAction({ id: "hide.left", label: hidden === "left" ? w.panes.showLeft : w.panes.hideLeft, keys: "[", run: () => toggle("left") });
  useAction({ id: "hide.right", label: hidden === "right" ? w.panes.showRight : w.panes.hideRight, keys: "]", run: () => toggle("right") });
  const [shown, setShown] = usePref(prefs, "terminals.pane", false);
  const [split, setSplit] = usePref(prefs, "terminals.split", 0.6);
  const [focusBottom, setFocusBottom] = useState(false);
  // At the station that is all terminals there is no second row of them.
  const bottom = shown && right !== "run";
  const toggleTerminals = () => {
    if (right === "run") return go({ ...route, station: "plan", plan: undefined });
    if (hidden === "right") setHidden("none");
    setFocusBottom(!shown);
    setShown(!shown);
    // Out of the terminal and back to what one did before.
    if (shown) document.querySelector<HTMLElement>(`[data-pane="${right}"] button`)?.focus();
  };
  useAction({ id: "terminals", label: w.terminals.toggle, keys: "Mod+`", run: toggleTerminals });
  const terminalTools = right === "run" ? null : (
    <IconButton label={w.terminals.toggle} keys="Mod+`" aria-pressed={shown} onClick={toggleTerminals}><SquareTerminal size={16} /></IconButton>
  );
  // Working in a pane is being at its station: Mod+Enter means what stands there.
  const enter = (station: Station) => {
    if (route.station !== station) go({ ...route, station, plan: undefined }, true);
  };
  const share = { none: `${columns}fr 1px ${1 - columns}fr`, left: "1fr", right: "1fr" }[hidden];
  const leftTools = (
    <IconButton label={hidden === "right" ? w.panes.showRight : w.panes.hideRight} onClick={() => toggle("right")}>
      {hidden === "right" ? <PanelRightOpen size={16} /> : <PanelRightClose size={16} />}
    </IconButton>
  );
  const rightTools = (
    <IconButton label={hidden === "left" ? w.panes.showLeft : w.panes.hideLeft} onClick={() => toggle("left")}>
      {hidden === "left" ? <PanelLeftOpen size={16} /> : <PanelLeftClose size={16} />}
    </IconButton>
  );
  return (
    <div className={css.layout} style={{ gridTemplateColumns: share }}>
      {hidden !== "left" && (
        <div className={css.left} style={{ gridTemplateRows: `${rows}fr 1px ${1 - rows}fr` }}>
          <section className={css.pane} data-pane="task" aria-label={w.task.title} onFocus={() => enter("task")}>
            <TaskPane view={view} active={route.station === "task"} openAccount={openAccount} tools={leftTools} />
          </section>
          <Splitter label={w.panes.resizeRows} className={`${css.split} ${css.lines}`} value={rows} onChange={setRows} direction="rows" />
          <section className={css.pane} data-pane="files" aria-label={w.files.title} onFocus={() => enter("files")}>
            <FilesPane view={view} active={route.station === "files"} openAccount={openAccount} />
          </section>
        </div>
      )}
      {hidden === "none" && <Splitter label={w.panes.resizeColumns} className={`${css.split} ${css.columns}`} value={columns} onChange={setColumns} direction="columns" />}
      {hidden !== "right" && (
        <div className={css.rightColumn} style={bottom ? { gridTemplateRows: `${split}fr 1px ${1 - split}fr` } : undefined}>
          <section className={css.right} data-pane={right} aria-label={w.stations[right]} onFocus={() => enter(right)}>
            <RightPane station={right} view={view} route={route} openAccount={openAccount} tools={<>{terminalTools}{rightTools}</>} />
          </section>
          {bottom && <Splitter label={w.panes.resizeTerminals} className={`${css.split} ${css.lines}`} value={split} onChange={setSplit} direction="rows" />}
          {bottom && (
            <section className={css.right} data-pane="terminals" aria-label={w.terminals.title}>
              <SessionTerminals view={view} title={w.terminals.title} focus={focusBottom} />
            </section>
          )}
        </div>
      )}
    </div>
  );
}

function RightPane({ tools, ...rest }: StationPageProps & { tools: React.ReactNode }) {
  const active = rest.route.station === rest.station;
  if (rest.station === "approve") return <ApprovalPane view={rest.view} active={active} chosen={rest.route.job} tools={tools} />;
  if (rest.station === "run") return <RunPane view={rest.view} tools={tools} />;
  if (rest.station === "plan") return <PlanPane view={rest.view} active={active} chosen={rest.route.plan} tools={tools} />;
  return <StationPage {...rest} />;
}
