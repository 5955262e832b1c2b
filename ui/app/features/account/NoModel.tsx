import { KeyRound, Link2, Server } from "lucide-react";
import { useState } from "react";
import type { ModelList } from "#client/api.gen.ts";
import { Button } from "#kit/core.tsx";
import { Sheet } from "#kit/overlays.tsx";
import { Seen } from "#kit/values.tsx";
import { w } from "../../words.ts";
import { AddProvider } from "./AddProvider.tsx";
import css from "./account.module.css";

/** The three ways to get a model. */
export function NoModel({ models, openAccount }: { models: ModelList; openAccount(): void }) {
  const [adding, setAdding] = useState(false);
  return (
    <div className={css.ways}>
      <p>{w.models.empty}</p>
      <ul>
        <li><Server size={16} aria-hidden="true" /><span>{w.models.ways.server}</span><Button onClick={openAccount}>{w.models.signIn}</Button></li>
        <li><KeyRound size={16} aria-hidden="true" /><span>{w.models.ways.key}</span></li>
        <li><Link2 size={16} aria-hidden="true" /><span>{w.models.ways.local}</span><Button onClick={() => setAdding(true)}>{w.models.addUrl}</Button></li>
      </ul>
      <Sheet title={w.models.addUrl} close={w.close} open={adding} onClose={() => setAdding(false)}>
        <AddProvider done={() => setAdding(false)} />
      </Sheet>
      {models.problems.length > 0 && (
        <div className={css.problems}>
          <h3>{w.models.problems}</h3>
          <ul>{models.problems.map((p) => <li key={p}><Seen text={p} /></li>)}</ul>
        </div>
      )}
    </div>
  );
}
