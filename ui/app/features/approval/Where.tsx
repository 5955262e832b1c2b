import type { Manifest } from "#client/api.gen.ts";
import { bytes, compact } from "#kit/format.ts";
import { Seen } from "#kit/values.tsx";
import { useRead } from "../../engine.tsx";
import { w } from "../../words.ts";
import { ModelPicker } from "../account/ModelPicker.tsx";
import css from "./approval.module.css";
import type { Approval } from "./useApproval.ts";

/** Where the bytes may go, and what exactly is approved. */
export function Where({ approval, manifest }: { approval: Approval; manifest: Manifest }) {
  const models = useRead("models.list", {}).value;
  return (
    <section className={css.section}>
      <div className={css.sectionHead}>
        <h3>{w.approve.where}</h3>
        {manifest.state === "waiting" && models && models.models.length > 1 && (
          <ModelPicker models={{ ...models, problems: [] }} value={manifest.model} onChange={(model) => model !== manifest.model && approval.revise({ model })} />
        )}
      </div>
      <ol className={css.where}>
        {manifest.destinations.map((d) => <li key={`${d.provider}/${d.model}`}><span><b><Seen text={d.model} /></b> {w.models.at} <Seen text={d.provider} /></span></li>)}
      </ol>
      {manifest.web && <p><Seen text={w.research.web(manifest.web.searches, manifest.web.kept, manifest.web.domains)} /></p>}
      <p className={css.small}><Seen text={manifest.via} /> · {w.approve.answer(compact(manifest.max_output_tokens))} · {w.approve.body(bytes(manifest.body_bytes))}</p>
      {!manifest.tokens_exact && <p className={css.small}>{w.approve.estimated}</p>}
      <p className={css.small}>{w.approve.fingerprint} <code>{manifest.fingerprint}</code></p>
    </section>
  );
}
