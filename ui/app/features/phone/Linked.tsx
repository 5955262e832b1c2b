import { useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { API_VERSION } from "#client/api.gen.ts";
import { Connection } from "#client/connection.ts";
import { fingerprint, publicKeys, type Pairing } from "#client/relay/keys.ts";
import { Actions, Button } from "#kit/core.tsx";
import { Note, Progress, useAfter } from "#kit/states.tsx";
import { Seen } from "#kit/values.tsx";
import { App } from "../../App.tsx";
import type { Phone } from "../../phone.ts";
import { w } from "../../words.ts";
import css from "./phone.module.css";
import { seen } from "./presence.ts";
import { keysOf, patientDial, whenBack, type PhoneHub, type PhoneWorld } from "./world.ts";

const CLIENT = "phone 0.1.0";

interface LinkedProps {
  world: PhoneWorld;
  desktop: Pairing;
  hub: PhoneHub;
  switchDesktop(): void;
  forget(): void;
}

interface Made {
  connection: Connection;
  phone: Phone;
}

/** The engine of one desktop, over the relay. */
export function Linked({ world, desktop, hub, switchDesktop, forget }: LinkedProps) {
  const [made, setMade] = useState<Made>();
  const status = useSyncExternalStore(hub.watch, () => hub.status);
  const keys = useMemo(() => keysOf(desktop), [desktop.secret]);
  useEffect(() => {
    const heads = new Map<number, number>();
    const dial = world.dial({
      hub, keys, phone: desktop.device ?? "", desktop: desktop.desktop, desktopKey: desktop.keys.noise, random: world.random, now: world.now,
      head: (stream, offset) => void heads.set(stream, offset),
    });
    const connection = new Connection(
      patientDial(hub, (handlers) => {
        // Each session counts its streams anew.
        heads.clear();
        return dial(handlers);
      }),
      { hostAnswers: () => Promise.resolve(false), random: () => (world.random(1)[0] ?? 0) / 256, now: world.now, client: CLIENT },
    );
    const unwatch = whenBack(hub, desktop.desktop, () => {
      // No reason to wait for the next try. A link that seems to live may have ended at a desktop that was away: it says
      // so when it is asked anything.
      connection.redialNow();
      connection.call("system.hello", { api: API_VERSION, client: CLIENT }).catch(() => {});
    });
    const linked = connection.watch(() => {
      if (connection.state.status === "linked") seen(world, desktop.desktop);
    });
    const phone: Phone = {
      desktop: desktop.name,
      fingerprints: { phone: fingerprint(publicKeys(keys)), desktop: fingerprint(desktop.keys) },
      server: desktop.origin,
      head: (stream) => heads.get(stream),
      status: () => hub.status,
      watch: hub.watch,
      switchDesktop,
      forget,
    };
    setMade({ connection, phone });
    return () => {
      unwatch();
      linked();
      connection.close();
    };
    // `switchDesktop` and `forget` are new with every render and do the same.
  }, [world, desktop.desktop, desktop.device, keys, hub]);

  if (status === "refused") {
    return (
      <main className={css.page}>
        <h1><Seen text={desktop.name} /></h1>
        <Note tone="warning">{w.phone.removedText}</Note>
        <Actions><Button look="primary" onClick={forget}>{w.phone.forget}</Button><Button onClick={switchDesktop}>{w.phone.desktops}</Button></Actions>
      </main>
    );
  }
  if (!made) return null;
  return <App connection={made.connection} storage={world.storage} phone={made.phone} connecting={<Waiting hub={hub} desktop={desktop} switchDesktop={switchDesktop} />} />;
}

/** Before the engine has said anything. */
function Waiting({ hub, desktop, switchDesktop }: Pick<LinkedProps, "hub" | "desktop" | "switchDesktop">) {
  const status = useSyncExternalStore(hub.watch, () => hub.status);
  const away = useSyncExternalStore(hub.watch, () => hub.status === "online" && hub.presence.get(desktop.desktop)?.online !== true);
  const late = useAfter(true, 2_000);
  const text = !late ? undefined : status !== "online" ? w.phone.noServer : away ? w.phone.awayText(desktop.name) : undefined;
  const shown = useMemo(() => text ?? w.phone.connecting(desktop.name), [text, desktop.name]);
  return (
    <main className={css.page} aria-busy="true">
      <h1><Seen text={desktop.name} /></h1>
      <Progress label={w.phone.connecting(desktop.name)} />
      <p role="status" className="quiet">{shown}</p>
      <Actions><Button onClick={switchDesktop}>{w.phone.desktops}</Button></Actions>
    </main>
  );
}
