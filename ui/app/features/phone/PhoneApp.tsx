import { useCallback, useEffect, useMemo, useState } from "react";
import type { PairedDesktop, Remembered } from "#client/relay/keys.ts";
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
  const keys = useMemo(() => remembered && keysOf(remembered), [remembered?.secret]);
  // A phone that was removed and paired anew needs another socket under the same name.
  const [round, setRound] = useState(0);
  const hubs = useHubs(world, remembered, keys, round);

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
  if (!remembered || !keys) return <main className={css.page}><h1 className="sr">{w.phone.title}</h1><Skeleton label={w.phone.loading} /></main>;
  const forget = (desktop: string) => {
    // Its hub goes with it, unless another desktop is behind the same.
    void keep(withoutDesktop(remembered, desktop));
    if (chosen === desktop) choose(undefined);
  };
  const paired = async (desktop: PairedDesktop) => {
    await keep(withDesktop(remembered, desktop));
    setRound((n) => n + 1);
  };
  if (pairing || remembered.desktops.length === 0) {
    const done = (desktop: PairedDesktop) => {
      setCode(undefined);
      setPairing(false);
      choose(desktop.device === undefined ? undefined : desktop.desktop);
    };
    const back = () => {
      setCode(undefined);
      setPairing(false);
    };
    return <PairPage world={world} keys={keys} code={code} keep={paired} done={done} back={remembered.desktops.length > 0 ? back : undefined} />;
  }
  const ready = remembered.desktops.filter((d) => d.device !== undefined);
  const only = chosen === undefined && remembered.desktops.length === 1 ? ready[0] : undefined;
  const desktop = ready.find((d) => d.desktop === chosen) ?? only;
  const hub = desktop && hubs.get(hubName(desktop));
  if (desktop && hub) {
    return <Linked key={desktop.desktop} world={world} desktop={desktop} keys={keys} hub={hub} switchDesktop={() => choose(undefined)} forget={() => forget(desktop.desktop)} />;
  }
  return <DesktopsPage world={world} keys={keys} desktops={remembered.desktops} hubOf={(d) => hubs.get(hubName(d))} choose={choose} forget={forget} keep={paired} pair={() => setPairing(true)} />;
}

const hubName = (desktop: PairedDesktop): string => `${desktop.origin} ${desktop.device ?? ""}`;

/** One socket for each server and name under which the phone is known there, for as long as the page lives. */
function useHubs(world: PhoneWorld, remembered: Remembered | undefined, keys: ReturnType<typeof keysOf> | undefined, round: number): ReadonlyMap<string, PhoneHub> {
  const [hubs, setHubs] = useState<ReadonlyMap<string, PhoneHub>>(new Map());
  const names = (remembered?.desktops ?? []).filter((d) => d.device !== undefined).map(hubName);
  const wanted = [...new Set(names)].join("\n");
  useEffect(() => {
    if (!keys || wanted === "") return;
    const made = new Map<string, PhoneHub>();
    const stops: (() => void)[] = [];
    for (const name of wanted.split("\n")) {
      const [origin = "", device = ""] = name.split(" ");
      const hub = world.hub(origin, device, keys);
      made.set(name, hub);
      stops.push(hub.followPage(document, window), () => hub.close());
    }
    setHubs(made);
    return () => {
      setHubs(new Map());
      for (const stop of stops) stop();
    };
  }, [world, keys, wanted, round]);
  return hubs;
}
