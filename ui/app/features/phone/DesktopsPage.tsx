import { Monitor, Plus, Trash2 } from "lucide-react";
import { useState, useSyncExternalStore } from "react";
import { RelayError } from "#client/relay/bytes.ts";
import type { Pairing } from "#client/relay/keys.ts";
import { Actions, Button, IconButton } from "#kit/core.tsx";
import { Sheet } from "#kit/overlays.tsx";
import { Note } from "#kit/states.tsx";
import { RelativeTime, Seen } from "#kit/values.tsx";
import { w } from "../../words.ts";
import css from "./phone.module.css";
import { lastSeen } from "./presence.ts";
import { keysOf, type PhoneHub, type PhoneWorld } from "./world.ts";

interface DesktopsProps {
  world: PhoneWorld;
  desktops: Pairing[];
  hubOf(desktop: Pairing): PhoneHub | undefined;
  choose(desktop: string): void;
  forget(desktop: string): void;
  keep(desktop: Pairing): Promise<void>;
  pair(): void;
}

/** The desktops of this phone, and which of them can be reached now. */
export function DesktopsPage({ world, desktops, hubOf, choose, forget, keep, pair }: DesktopsProps) {
  const [leaving, setLeaving] = useState<Pairing>();
  return (
    <main className={css.page}>
      <h1>{w.phone.desktops}</h1>
      <ul className={css.desktops} aria-label={w.phone.desktops}>
        {desktops.map((desktop) => (
          <li key={desktop.desktop} className={css.desktop}>
            {desktop.device === undefined
              ? <Unfinished world={world} desktop={desktop} keep={keep} />
              : <Row world={world} desktop={desktop} hub={hubOf(desktop)} choose={() => choose(desktop.desktop)} />}
            <IconButton label={`${w.phone.forget}: ${desktop.name}`} onClick={() => setLeaving(desktop)}><Trash2 size={16} /></IconButton>
          </li>
        ))}
      </ul>
      <Actions><Button onClick={pair}><Plus size={16} aria-hidden="true" />{w.phone.pairAnother}</Button></Actions>
      {leaving && (
        <ForgetSheet name={leaving.name} close={() => setLeaving(undefined)} forget={() => { setLeaving(undefined); forget(leaving.desktop); }} />
      )}
    </main>
  );
}

export function ForgetSheet({ name, close, forget }: { name: string; close(): void; forget(): void }) {
  return (
    <Sheet title={w.phone.forgetTitle(name)} close={w.close} open onClose={close}>
      <p>{w.phone.forgetText}</p>
      <Actions><Button look="primary" onClick={forget}>{w.phone.forget}</Button><Button onClick={close}>{w.phone.forgetKeep}</Button></Actions>
    </Sheet>
  );
}

const never = () => () => {};

function Row({ world, desktop, hub, choose }: { world: PhoneWorld; desktop: Pairing; hub: PhoneHub | undefined; choose(): void }) {
  const state = useSyncExternalStore(hub?.watch ?? never, () => {
    if (!hub || hub.status === "connecting" || hub.status === "lost") return "unknown";
    if (hub.status === "refused") return "removed";
    return hub.presence.get(desktop.desktop)?.online ? "online" : "away";
  });
  const last = lastSeen(world, desktop.desktop);
  return (
    <button type="button" className={css.choose} onClick={choose}>
      <Monitor size={20} aria-hidden="true" />
      <span className={css.chooseText}>
        <b><Seen text={desktop.name} /></b>
        <span className={css.presence} data-state={state}>
          <i aria-hidden="true" />{w.phone[state]}
          {state !== "online" && last !== undefined && <span>{w.phone.lastSeen} <RelativeTime at={last} /></span>}
        </span>
      </span>
    </button>
  );
}

/** Accepted by the desktop, but the server could not be told yet. */
function Unfinished({ world, desktop, keep }: { world: PhoneWorld; desktop: Pairing; keep(desktop: Pairing): Promise<void> }) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string>();
  const finish = () => {
    setBusy(true);
    setError(undefined);
    void finishEnrolment(world, desktop).then(keep, (failure: unknown) => setError(failure instanceof RelayError ? failure.message : String(failure))).finally(() => setBusy(false));
  };
  return (
    <div className={css.unfinished}>
      <b><Seen text={desktop.name} /></b>
      <span>{w.phone.unfinished}</span>
      {error !== undefined && <Note tone="warning" live>{error}</Note>}
      <div><Button disabled={busy} onClick={finish}>{w.phone.finish}</Button></div>
    </div>
  );
}

/** Makes the phone known to the server with the desktop's certificate. */
export async function finishEnrolment(world: PhoneWorld, desktop: Pairing): Promise<Pairing> {
  if (!desktop.certificate) return desktop;
  const device = await world.enroll(desktop.origin, keysOf(desktop), desktop.certificate);
  const { certificate: _used, ...rest } = desktop;
  return { ...rest, device };
}
