import { useEffect, useState } from "react";
import { useAction, useKeyboard } from "./actions.tsx";
import { Boundary } from "./Boundary.tsx";
import { BottomBar } from "./BottomBar.tsx";
import { useEngine } from "./engine.tsx";
import { AccountSheet } from "./features/account/AccountSheet.tsx";
import { ApprovalsPage } from "./features/approval/ApprovalsPage.tsx";
import { JobsPage } from "./features/jobs/JobsPage.tsx";
import { KeysSheet } from "./features/palette/KeysSheet.tsx";
import { Palette } from "./features/palette/Palette.tsx";
import { ProjectsPage } from "./features/projects/ProjectsPage.tsx";
import { Rail } from "./features/sessions/Rail.tsx";
import { SessionPage } from "./features/sessions/SessionPage.tsx";
import { SessionsPage } from "./features/sessions/SessionsPage.tsx";
import { SettingsPage } from "./features/settings/SettingsPage.tsx";
import { useSettingsActions } from "./features/settings/actions.ts";
import { DevicesPage } from "./features/devices/DevicesPage.tsx";
import { TerminalsPage } from "./features/terminals/TerminalsPage.tsx";
import { Header } from "./Header.tsx";
import { LinkNotice } from "./LinkNotice.tsx";
import { MorePage } from "./MorePage.tsx";
import { usePref } from "./prefs.ts";
import { go, useRoute, type Route } from "./route.ts";
import css from "./shell.module.css";
import { applyTheme, type Theme } from "./theme.ts";
import { useWide } from "./wide.ts";
import { w } from "./words.ts";

export type Floating = "palette" | "keys" | "account" | undefined;

export function Shell() {
  const route = useRoute();
  const wide = useWide();
  const { prefs } = useEngine();
  const [floating, setFloating] = useState<Floating>();
  const [rail, setRail] = usePref(prefs, "rail", window.innerWidth >= 1200);
  const [theme] = usePref<Theme>(prefs, "theme", "system");
  useEffect(() => applyTheme(theme), [theme]);
  useKeyboard();
  useAction({ id: "palette", label: w.nav.palette, keys: "Mod+k", run: () => setFloating("palette"), keysOnly: true });
  useAction({ id: "keys", label: w.nav.keys, keys: "?", run: () => setFloating("keys") });
  useAction({ id: "account", label: w.nav.account, run: () => setFloating("account") });
  useAction({ id: "home", label: w.nav.home, run: () => go({ page: "home" }) });
  useAction({ id: "jobs", label: w.jobs.all, run: () => go({ page: "jobs" }) });
  useAction({ id: "approvals", label: w.nav.approvals, run: () => go({ page: "approvals" }) });
  useAction({ id: "devices", label: w.nav.devices, run: () => go({ page: "devices" }) });
  useSettingsActions();
  // In a session on a wide screen the pane below takes this key.
  useAction({ id: "terminals", label: w.terminals.title, keys: "Mod+`", run: () => (route.page === "terminals" ? window.history.back() : go({ page: "terminals" })) });
  useAction({ id: "rail", label: rail ? w.nav.closeRail : w.nav.openRail, keys: "Mod+b", run: () => setRail(!rail) });
  for (const [name, label] of Object.entries(w.theme)) {
    // The keys of a literal object never change, so neither does the number of hooks.
    useAction({ id: `theme.${name}`, label: `${w.nav.theme}: ${label}`, run: () => prefs.set("theme", name) });
  }
  const close = () => setFloating(undefined);
  return (
    <div className={css.shell}>
      <Header route={route} wide={wide} float={setFloating} rail={rail} setRail={setRail} />
      <LinkNotice />
      <div className={css.body}>
        {wide && rail && route.page === "session" && <Rail session={route.session} />}
        <main className={css.main} id="main"><Boundary key={route.page}><Page route={route} float={setFloating} /></Boundary></main>
      </div>
      {!wide && <BottomBar route={route} />}
      <aside id="floor" aria-label={w.nav.lists} />
      <Palette open={floating === "palette"} onClose={close} />
      <KeysSheet open={floating === "keys"} onClose={close} />
      <AccountSheet open={floating === "account"} onClose={close} />
    </div>
  );
}

function Page({ route, float }: { route: Route; float(what: Floating): void }) {
  switch (route.page) {
    case "home":
      return <ProjectsPage />;
    case "project":
      return <SessionsPage project={route.project} key={route.project} />;
    case "session":
      return <SessionPage route={route} key={route.session} openAccount={() => float("account")} />;
    case "jobs":
      return <JobsPage />;
    case "terminals":
      return <TerminalsPage route={route} />;
    case "devices":
      return <DevicesPage signIn={() => float("account")} />;
    case "settings":
      return <SettingsPage section={route.section} />;
    case "approvals":
      return <ApprovalsPage />;
    case "more":
      return <MorePage float={float} />;
  }
}
