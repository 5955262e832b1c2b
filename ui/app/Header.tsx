import { ChevronDown, FolderOpen, PanelLeft, Plus, Search, SquareTerminal, UserRound } from "lucide-react";
import { useEffect } from "react";
import { Button, cx, IconButton, Kbd } from "#kit/core.tsx";
import { Dropdown, MenuItem, MenuSeparator } from "#kit/overlays.tsx";
import { plain } from "#kit/invisible.ts";
import { useAfter } from "#kit/states.tsx";
import { Seen } from "#kit/values.tsx";
import { Mark } from "./Door.tsx";
import { useEngine, useLink, useRead } from "./engine.tsx";
import { CostToday } from "./features/jobs/CostToday.tsx";
import { JobsPop } from "./features/jobs/JobsPop.tsx";
import { useNewSession } from "./features/sessions/create.ts";
import { Stations } from "./features/sessions/Stations.tsx";
import { go, href, type Route } from "./route.ts";
import type { Floating } from "./Shell.tsx";
import css from "./shell.module.css";
import { w } from "./words.ts";

interface HeaderProps {
  route: Route;
  wide: boolean;
  rail: boolean;
  setRail(open: boolean): void;
  float(what: Floating): void;
}

export function Header({ route, wide, rail, setRail, float }: HeaderProps) {
  const inSession = route.page === "session";
  return (
    <header className={css.header}>
      <div className={css.bar}>
        {wide && inSession ? (
          <IconButton label={rail ? w.nav.closeRail : w.nav.openRail} keys="Mod+b" aria-expanded={rail} onClick={() => setRail(!rail)}>
            <PanelLeft size={16} />
          </IconButton>
        ) : (
          <a className={css.home} href={href({ page: "home" })} aria-label={w.nav.home}><Mark size={18} /></a>
        )}
        <Crumbs route={route} wide={wide} />
        {wide && inSession && <Stations route={route} />}
        <span className={css.spring} />
        {wide && <CostToday />}
        {wide && <JobsPop />}
        {wide && !inSession && (
          <a className={css.toTerminals} href={href({ page: "terminals" })} aria-current={route.page === "terminals" ? "page" : undefined}><SquareTerminal size={16} aria-hidden="true" />{w.nav.terminals}</a>
        )}
        <LinkMark />
        {wide && <IconButton label={w.nav.account} onClick={() => float("account")}><UserRound size={16} /></IconButton>}
        <button type="button" className={css.search} onClick={() => float("palette")}>
          <Search size={16} aria-hidden="true" />
          <span className="sr">{w.nav.palette}</span>
          {wide && <Kbd keys="Mod+k" />}
        </button>
      </div>
      {!wide && inSession && <Stations route={route} />}
    </header>
  );
}

/** The name of the window, where nothing can be marked. */
export const windowTitle = (name: string | undefined): string => (name ? `${plain(name)} · ${w.product}` : w.product);

function Crumbs({ route, wide }: { route: Route; wide: boolean }) {
  const projects = useRead("projects.list", {}).value?.projects ?? [];
  const session = useRead("sessions.get", route.page === "session" ? { session: route.session } : null).value;
  const id = route.page === "project" ? route.project : session?.project;
  const sessions = useRead("sessions.list", id === undefined ? null : { project: id }).value?.sessions ?? [];
  const project = projects.find((p) => p.id === id);
  const create = useNewSession();
  const name = session ? session.title || w.sessions.untitled : project?.name;
  useEffect(() => {
    document.title = windowTitle(name);
  }, [name]);
  if (id === undefined) return <span className={css.product}>{w.product}</span>;
  return (
    <nav className={css.crumbs} aria-label={w.nav.project}>
      {(wide || !session) && <Dropdown trigger={<Crumb label={w.nav.project} text={project?.name ?? "…"} />}>
        {projects.map((p) => (
          <MenuItem key={p.id} onClick={() => go({ page: "project", project: p.id })}><FolderOpen size={16} /><span className={css.menuTitle}><Seen text={p.name} /></span></MenuItem>
        ))}
        <MenuSeparator />
        <MenuItem onClick={() => go({ page: "home" })}>{w.sessions.all}</MenuItem>
      </Dropdown>}
      {session && (
        <Dropdown trigger={<Crumb label={w.nav.session} text={session.title || w.sessions.untitled} strong />}>
          {sessions.slice(0, 12).map((s) => (
            <MenuItem key={s.id} onClick={() => go({ page: "session", session: s.id, station: "task" })}>
              <span className={css.menuTitle}><Seen text={s.title || w.sessions.untitled} /></span>
            </MenuItem>
          ))}
          <MenuSeparator />
          <MenuItem onClick={() => create(session.project)}><Plus size={16} />{w.sessions.fresh}</MenuItem>
          <MenuItem onClick={() => go({ page: "project", project: session.project })}>{w.sessions.title}</MenuItem>
        </Dropdown>
      )}
    </nav>
  );
}

function Crumb({ label, text, strong, ...rest }: { label: string; text: string; strong?: boolean }) {
  return (
    <Button {...rest} look="plain" className={cx(css.crumb, strong && css.crumbStrong)}>
      <span className="sr">{label}: </span>
      <span><Seen text={text} /></span>
      <ChevronDown size={14} aria-hidden="true" />
    </Button>
  );
}

function LinkMark() {
  const { connection } = useEngine();
  const { status, greeting } = useLink(connection);
  const lost = useAfter(status !== "linked", 2_000);
  const linked = !lost;
  return (
    <span className={cx(css.link, !linked && css.lost)} role="status" title={linked ? w.link.engine(greeting?.build ?? "") : undefined}>
      <i aria-hidden="true" />
      <span>{linked ? w.link.linked : w.link.lost}</span>
    </span>
  );
}
