import { Smartphone } from "lucide-react";
import { useState } from "react";
import type { Device } from "#client/api.gen.ts";
import { Actions, Button, Pill } from "#kit/core.tsx";
import { Sheet, toasts } from "#kit/overlays.tsx";
import { RelativeTime, Seen } from "#kit/values.tsx";
import { useEngine, useTask } from "../../engine.tsx";
import { ErrorNote } from "../../ErrorNote.tsx";
import { w } from "../../words.ts";
import css from "./devices.module.css";
import { Scopes } from "./Scopes.tsx";

/** One paired device. */
export function DeviceRow({ device, may }: { device: Device; may: boolean }) {
  const [asking, setAsking] = useState<"change" | "revoke">();
  const close = () => setAsking(undefined);
  return (
    <div className={css.device}>
      <Smartphone size={20} aria-hidden="true" className={css.icon} />
      <div className={css.main}>
        <div className={css.name}>
          <b><Seen text={device.name} /></b>
          <span className={css.presence} data-online={device.online}><i aria-hidden="true" />{device.online ? w.devices.online : w.devices.away}</span>
        </div>
        <div className={css.scopes}>
          <span>{w.devices.may}</span>
          {device.scopes.map((scope) => <Pill key={scope} tone={scope === "type" ? "needs" : "plain"} title={w.devices.scopeHints[scope]}>{w.devices.scopes[scope]}</Pill>)}
        </div>
        <div className={css.times}>
          {!device.online && <span>{device.last_seen_at === undefined ? w.devices.never : <>{w.devices.seen} <RelativeTime at={device.last_seen_at} /></>}</span>}
          <span>{w.devices.paired} <RelativeTime at={device.paired_at} /></span>
          <details>
            <summary>{w.devices.fingerprint}</summary>
            <code className={css.fingerprint}>{device.fingerprint}</code>
          </details>
        </div>
      </div>
      {may && (
        <div className={css.buttons}>
          <Button aria-label={w.devices.changeName(device.name)} onClick={() => setAsking("change")}>{w.devices.change}</Button>
          <Button look="plain" aria-label={w.devices.revokeName(device.name)} onClick={() => setAsking("revoke")}>{w.devices.revoke}</Button>
        </div>
      )}
      {asking === "change" && <ChangeSheet device={device} close={close} />}
      {asking === "revoke" && <RevokeSheet device={device} close={close} />}
    </div>
  );
}

function ChangeSheet({ device, close }: { device: Device; close(): void }) {
  const { connection } = useEngine();
  const [scopes, setScopes] = useState(device.scopes);
  const task = useTask();
  const save = () =>
    task.run(async () => {
      await connection.call("devices.change", { device: device.id, scopes });
      await connection.store.refresh("devices.list", {});
      toasts.add({ title: w.devices.changed(device.name) });
      close();
    });
  return (
    <Sheet title={device.name} close={w.close} open onClose={close}>
      <Scopes chosen={scopes} choose={setScopes} />
      <ErrorNote error={task.error} />
      <Actions>
        <Button look="primary" disabled={task.busy} onClick={save}>{w.devices.save}</Button>
        <Button onClick={close}>{w.cancel}</Button>
      </Actions>
    </Sheet>
  );
}

function RevokeSheet({ device, close }: { device: Device; close(): void }) {
  const { connection } = useEngine();
  const task = useTask();
  const revoke = () =>
    task.run(async () => {
      connection.store.put("devices.list", {}, await connection.call("devices.revoke", { device: device.id }));
      toasts.add({ title: w.devices.revoked(device.name) });
    });
  return (
    <Sheet title={w.devices.revokeTitle(device.name)} close={w.close} open onClose={close}>
      <p>{w.devices.revokeText}</p>
      <ErrorNote error={task.error} />
      <Actions>
        <Button look="primary" disabled={task.busy} onClick={revoke}>{w.devices.revoke}</Button>
        <Button onClick={close}>{w.devices.keep}</Button>
      </Actions>
    </Sheet>
  );
}
