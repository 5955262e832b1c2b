import { Send, ShieldCheck } from "lucide-react";
import { useState } from "react";
import type { Manifest } from "#client/api.gen.ts";
import { Button } from "#kit/core.tsx";
import { compact, tokens } from "#kit/format.ts";
import { Note } from "#kit/states.tsx";
import { useAction } from "../../actions.tsx";
import { useRead, useWhyNot } from "../../engine.tsx";
import { ErrorNote } from "../../ErrorNote.tsx";
import { w } from "../../words.ts";
import session from "../sessions/session.module.css";
import css from "./approval.module.css";
import { whyOnlyThis } from "./remember.ts";
import { RememberSheet } from "./RememberSheet.tsx";
import { blocking } from "./Secrets.tsx";
import { costText } from "./sentence.ts";
import type { Approval } from "./useApproval.ts";

interface AnswerProps {
  approval: Approval;
  manifest: Manifest;
  active: boolean;
}

/** Send or don't; what stands in the way of sending is said in words. */
export function Answer({ approval, manifest, active }: AnswerProps) {
  const window = useRead("models.list", {}).value?.models.find((m) => m.id === manifest.model)?.context_window ?? 0;
  const over = manifest.overflow_tokens;
  const whyNot = useWhyNot("approve");
  const reason = whyNot !== undefined ? whyNot
    : over > 0 ? w.approve.blocked.overflow
    : blocking(manifest) ? w.approve.blocked.secrets
    : approval.busy ? w.approve.blocked.busy : undefined;
  const send = () => void approval.answer(true);
  const dont = () => void approval.answer(false);
  useAction(active ? { id: "approve.send", label: w.approve.send, keys: "Mod+Enter", run: send, reason, here: true } : undefined);
  // Of this request alone: in the place of another it would be given unseen.
  const [more, setMore] = useState<string>();
  const only = reason ?? whyOnlyThis(manifest);
  const allow = () => setMore(manifest.id);
  useAction(active ? { id: "approve.remember", label: w.remember.action, keys: "Mod+Shift+Enter", run: allow, reason: only, here: true } : undefined);
  useAction(active ? { id: "approve.dont", label: w.approve.dont, keys: "Escape", run: dont, reason: whyNot, here: true } : undefined);
  const stale = approval.error?.code === "conflict";
  return (
    <div className={session.foot}>
      {over > 0 && (
        <div className={css.wideNote}>
          <Note tone="error">{w.approve.overflow(tokens(over), window > 0 ? w.approve.limit(compact(window)) : "", manifest.tokens_exact)}</Note>
        </div>
      )}
      {stale && (
        <div className={css.wideNote}>
          <Note tone="warning" live><div className={css.ended}><span>{w.approve.stale}</span><Button onClick={approval.look}>{w.approve.look}</Button></div></Note>
        </div>
      )}
      {approval.error && !stale && <div className={css.wideNote}><ErrorNote error={approval.error} again={approval.look} /></div>}
      <span className={css.footCost}>{costText(manifest)}</span>
      <span className={session.spring} />
      <Button look="plain" reason={only} onClick={allow}><ShieldCheck size={16} aria-hidden="true" />{w.remember.button}</Button>
      <Button keys={active ? "Escape" : undefined} reason={whyNot} onClick={dont} disabled={approval.busy}>{w.approve.dont}</Button>
      <Button look="primary" keys={active ? "Mod+Enter" : undefined} reason={reason} onClick={send}><Send size={16} aria-hidden="true" />{w.approve.send}</Button>
      <RememberSheet approval={approval} manifest={manifest} open={more === manifest.id} onClose={() => setMore(undefined)} />
    </div>
  );
}
