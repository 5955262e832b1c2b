import { Send } from "lucide-react";
import { useState, type ReactNode } from "react";
import { Button } from "#kit/core.tsx";
import { useMay } from "../../engine.tsx";
import { w } from "../../words.ts";
import { usePlan } from "../plan/usePlan.ts";
import type { SessionView } from "../sessions/view.ts";
import type { HandOverTarget } from "./handOver.ts";
import { HandOverSheet } from "./HandOverSheet.tsx";
import { SessionTerminals } from "./SessionTerminals.tsx";

/** The station where agents work: the session's terminals, and the plan put before them. */
export function RunPane({ view, tools }: { view: SessionView; tools?: ReactNode }) {
  const may = useMay("type");
  const { plan } = usePlan(view.plans?.[0]?.id);
  const [target, setTarget] = useState<HandOverTarget>();
  const ready = plan && plan.steps.length > 0;
  const reason = plan?.state === "streaming" ? w.terminals.handOver.notYet : undefined;
  return (
    <>
      <SessionTerminals view={view} title={w.terminals.run.title}>
        {ready && may && <Button look="plain" reason={reason} onClick={() => setTarget({ plan })}><Send size={16} aria-hidden="true" />{w.terminals.handOver.short}</Button>}
        {tools}
      </SessionTerminals>
      <HandOverSheet target={target} onClose={() => setTarget(undefined)} />
    </>
  );
}
