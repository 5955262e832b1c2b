import type { Manifest } from "#client/api.gen.ts";
import { compact } from "#kit/format.ts";
import { Seen } from "#kit/values.tsx";
import { w } from "../../words.ts";
import css from "./approval.module.css";
import { costText, door } from "./sentence.ts";

/** What it is for is said where it is not the plan for the task. *Send 14 files, 18.2k tokens to claude-x at Anthropic through team proxy for about $0.04 (≤ $0.07).* */
export function SendSentence({ manifest, plan }: { manifest: Manifest; plan: boolean }) {
  const to = manifest.destinations[0];
  const name = to ? `${to.model} ${w.models.at} ${to.provider}` : manifest.model;
  const amount = `${manifest.tokens_exact ? "" : "≈ "}${compact(manifest.input_tokens)}`;
  const known = manifest.cost_estimate !== undefined;
  return (
    <p className={css.sentence}>
      {plan ? w.approve.sendWord : <>{w.approve.forWord} <b><Seen text={manifest.purpose} /></b>{w.approve.thenSend}</>} <b>{w.approve.filesTokens(manifest.files.length, amount)}</b> {w.approve.to}{" "}
      <b><Seen text={name} /></b> <Seen text={door(manifest)} /> {w.approve.for}{" "}
      {known ? <>{w.approve.about} <b>{costText(manifest).slice(w.approve.about.length + 1)}</b></> : <b>{costText(manifest)}</b>}.
    </p>
  );
}
