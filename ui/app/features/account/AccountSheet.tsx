import { Actions, Button } from "#kit/core.tsx";
import { Sheet } from "#kit/overlays.tsx";
import { Skeleton } from "#kit/states.tsx";
import { useState } from "react";
import { useEngine, useRead, useTask } from "../../engine.tsx";
import { ErrorNote } from "../../ErrorNote.tsx";
import { go } from "../../route.ts";
import { Seen } from "#kit/values.tsx";
import { w } from "../../words.ts";
import css from "./account.module.css";
import { AddProvider } from "./AddProvider.tsx";
import { priceText } from "./ModelPicker.tsx";
import { SignIn } from "./SignIn.tsx";

/** Who is signed in where, and which models can be asked. */
export function AccountSheet({ open, onClose }: { open: boolean; onClose(): void }) {
  return (
    <Sheet title={w.nav.account} close={w.close} open={open} onClose={onClose} wide>
      <Account />
      <Models />
      <section className={css.section}>
        <h3>{w.account.further}</h3>
        <Actions>
          <Button onClick={() => { onClose(); go({ page: "devices" }); }}>{w.devices.title}</Button>
          <Button onClick={() => { onClose(); go({ page: "settings" }); }}>{w.nav.settings}</Button>
        </Actions>
      </section>
    </Sheet>
  );
}

function Account() {
  const { connection } = useEngine();
  const { value, error } = useRead("account.status", {});
  const task = useTask();
  if (!value) return error ? <ErrorNote error={error} /> : <Skeleton rows={2} label={w.loading} />;
  if (value.server === undefined) return <SignIn />;
  const out = () =>
    task.run(async () => {
      connection.store.put("account.status", {}, await connection.call("account.sign_out", {}));
    });
  return (
    <section className={css.section}>
      <h3>{w.account.title}</h3>
      <p>
        <Seen text={w.account.as(value.user ?? "", value.server)} />
        {value.store && <span className="quiet">, {w.account.kept[value.store]}</span>}
      </p>
      <ErrorNote error={task.error} />
      <Actions><Button onClick={out} disabled={task.busy}>{w.account.signOut}</Button></Actions>
    </section>
  );
}

function Models() {
  const { value, error } = useRead("models.list", {});
  const [adding, setAdding] = useState(false);
  return (
    <section className={css.section}>
      <h3>{w.models.title}</h3>
      {!value && (error ? <ErrorNote error={error} /> : <Skeleton rows={3} label={w.loading} />)}
      {value && value.models.length === 0 && <p className="quiet">{w.files.noModel} {w.models.ways.key}</p>}
      {value && value.models.length > 0 && (
        <ul className={css.models}>
          {value.models.map((m) => (
            <li key={m.id}><span><b><Seen text={m.name} /></b> {w.models.at} <Seen text={m.provider} /></span><small><Seen text={m.via} /> · {priceText(m)}</small></li>
          ))}
        </ul>
      )}
      {value && value.problems.length > 0 && (
        <div className={css.problems}>
          <h4>{w.models.problems}</h4>
          <ul>{value.problems.map((p) => <li key={p}><Seen text={p} /></li>)}</ul>
        </div>
      )}
      {adding ? <AddProvider done={() => setAdding(false)} /> : <Actions><Button onClick={() => setAdding(true)}>{w.models.addUrl}</Button></Actions>}
    </section>
  );
}
