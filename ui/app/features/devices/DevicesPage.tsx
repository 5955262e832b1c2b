import { Smartphone } from "lucide-react";
import { useState } from "react";
import type { LinkStatus } from "#client/api.gen.ts";
import { Button } from "#kit/core.tsx";
import { EmptyState, Note, Skeleton } from "#kit/states.tsx";
import { Seen } from "#kit/values.tsx";
import { useEngine, useMay, useRead } from "../../engine.tsx";
import { ErrorNote } from "../../ErrorNote.tsx";
import shell from "../../shell.module.css";
import { w } from "../../words.ts";
import { DeviceRow } from "./DeviceRow.tsx";
import css from "./devices.module.css";
import { PairSheet } from "./PairSheet.tsx";

/** Which devices follow this engine, what they may do, and the link to them. */
export function DevicesPage({ signIn }: { signIn(): void }) {
  const { connection } = useEngine();
  const may = useMay("pair");
  const status = useRead("devices.status", {});
  const list = useRead("devices.list", {});
  const [pairing, setPairing] = useState(false);
  const signedOut = status.value?.state === "signed_out";
  const canPair = may && status.value && !signedOut;
  const pair = () => setPairing(true);
  return (
    <div className={shell.page}>
      <div className={shell.pageHead}>
        <h1>{w.devices.title}</h1>
        {canPair && list.value && list.value.devices.length > 0 && <Button look="primary" onClick={pair}>{w.devices.pair}</Button>}
      </div>
      <p className={shell.lead}>{w.devices.lead}</p>
      {status.value ? <LinkBlock status={status.value} signIn={signIn} />
        : status.error ? <ErrorNote error={status.error} again={() => void connection.store.refresh("devices.status", {})} />
        : <Skeleton rows={2} label={w.loading} />}
      {!list.value && (list.error ? <ErrorNote error={list.error} again={() => void connection.store.refresh("devices.list", {})} /> : <Skeleton rows={3} label={w.loading} />)}
      {list.value?.devices.length === 0 && !signedOut && (
        <EmptyState icon={Smartphone} title={w.devices.empty}>{canPair && <Button look="primary" onClick={pair}>{w.devices.pair}</Button>}</EmptyState>
      )}
      {list.value && list.value.devices.length > 0 && (
        <ul className={shell.rows} aria-label={w.devices.title}>
          {list.value.devices.map((device) => <li key={device.id}><DeviceRow device={device} may={may} /></li>)}
        </ul>
      )}
      {pairing && <PairSheet close={() => setPairing(false)} />}
    </div>
  );
}

function LinkBlock({ status, signIn }: { status: LinkStatus; signIn(): void }) {
  const words = w.devices.link;
  if (status.state === "signed_out") {
    return (
      <Note tone="accent">
        <p>{w.devices.signedOutText}</p>
        <div><Button onClick={signIn}>{w.devices.signIn}</Button></div>
      </Note>
    );
  }
  return (
    <section className={css.link} aria-label={w.phone.link}>
      <p className={css.state} role="status">
        <i aria-hidden="true" data-state={status.state} />
        <span><b>{words[status.state]}</b>{status.server && <> {w.devices.through(status.server)}</>}</span>
      </p>
      {status.trouble && <Note tone="warning" live>{status.trouble}</Note>}
      <p className="quiet">{status.state === "idle" ? w.devices.idleText : <Seen text={w.devices.asName(status.name)} />}</p>
      <details>
        <summary>{w.devices.ownFingerprint}</summary>
        <code className={css.fingerprint}>{status.fingerprint}</code>
        <p className="quiet">{w.devices.compare}</p>
      </details>
    </section>
  );
}
