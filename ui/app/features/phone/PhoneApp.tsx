import { useCallback, useEffect, useState } from "react";
import type { Pairing, Remembered } from "#client/relay/keys.ts";
import { Note, Skeleton } from "#kit/states.tsx";
import { applyTheme, type Theme } from "../../theme.ts";
import { w } from "../../words.ts";
import { DesktopsPage } from "./DesktopsPage.tsx";
import { Linked } from "./Linked.tsx";
import { PairPage } from "./PairPage.tsx";
import css from "./phone.module.css";
import { keysOf, recall, withDesktop, withoutDesktop, type PhoneHub, type PhoneWorld } from "./world.ts";

const CHOSEN = "plantocode.phone.desktop";
const THEME = "plantocode.phone.theme";

/** The phone: pairs, lists desktops, and shows the engine of one. */
export function PhoneApp({ world }: { world: PhoneWorld }) {
  const [remembered, setRemembered] = useState<Remembered>();
  const [trouble, setTrouble] = useState(false);
  const [code, setCode] = useState(world.code);
  const [pairing, setPairing] = useState(world.code !== undefined);
  const [chosen, setChosen] = useState(() => world.storage.getItem(CHOSEN) || undefined);
  useEffect(() => {
    applyTheme((world.storage.getItem(THEME) as Theme | null) ?? "system");
    recall(world).then(setRemembered, () => setTrouble(true));
  }, [world]);
  const hubs = useHubs(world, remembered);

  const keep = useCallback(
    async (next: Remembered) => {
      await world.store.save(next);
      setRemembered(next);
    },
    [world],
  );
  const choose = useCallback(
    (desktop: string | undefined) => {
      // An empty choice is one too: who asked for the list gets it, also when there is one desktop only.
      world.storage.setItem(CHOSEN, desktop ?? "");
      setChosen(desktop ?? "");
    },
    [world],
  );

  if (trouble) return <main className={css.page}><Note tone="error">{w.phone.noStorage}</Note></main>;
  if (!remembered) return <main className={css.page}><h1 className="sr">{w.phone.title}</h1><Skeleton label={w.phone.loading} /></main>;
  const forget = (desktop: string) => {
    // Its hub goes with it, unless another desktop is behind the same.
    void keep(withoutDesktop(remembered, desktop));
    if (chosen === desktop) choose(undefined);
  };
  const paired = (desktop: Pairing) => keep(withDesktop(remembered, desktop));
  if (pairing || remembered.desktops.length === 0) {
    const done = (desktop: Pairing) => {
      setCode(undefined);
      setPairing(false);
      choose(desktop.device === undefined ? undefined : desktop.desktop);
    };
    const back = () => {
      setCode(undefined);
      setPairing(false);
    };
    return <PairPage world={world} code={code} keep={paired} done={done} back={remembered.desktops.length > 0 ? back : undefined} />;
  }
  const ready = remembered.desktops.filter((d) => d.device !== undefined);
  const only = chosen === undefined && remembered.desktops.length === 1 ? ready[0] : undefined;
  const desktop = ready.find((d) => d.desktop === chosen) ?? only;
  const hub = desktop && hubs.get(hubName(desktop));
  if (desktop && hub) {
    return <Linked key={hubName(desktop)} world={world} desktop={desktop} hub={hub} switchDesktop={() => choose(undefined)} forget={() => forget(desktop.desktop)} />;
  }
  return <DesktopsPage world={world} desktops={remembered.desktops} hubOf={(d) => hubs.get(hubName(d))} choose={choose} forget={forget} keep={paired} pair={() => setPairing(true)} />;
}

const hubName = (desktop: Pairing): string => `${desktop.origin} ${desktop.device ?? ""}`;

/** One socket for each name under which the phone is known to a server, for as long as the page lives. */
function useHubs(world: PhoneWorld, remembered: Remembered | undefined): ReadonlyMap<string, PhoneHub> {
  const [hubs, setHubs] = useState<ReadonlyMap<string, PhoneHub>>(new Map());
  const ready = (remembered?.desktops ?? []).filter((d) => d.device !== undefined);
  const wanted = [...new Set(ready.map(hubName))].join("\n");
  useEffect(() => {
    if (wanted === "") return;
    const made = new Map<string, PhoneHub>();
    const stops: (() => void)[] = [];
    for (const desktop of ready) {
      if (made.has(hubName(desktop))) continue;
      const hub = world.hub(desktop.origin, desktop.device ?? "", keysOf(desktop));
      made.set(hubName(desktop), hub);
      stops.push(hub.followPage(document, window), () => hub.close());
    }
    setHubs(made);
    return () => {
      setHubs(new Map());
      for (const stop of stops) stop();
    };
    // `ready` is new with every render; each pairing has a name of its own, so its names say all of it.
  }, [world, wanted]);
  return hubs;
}
