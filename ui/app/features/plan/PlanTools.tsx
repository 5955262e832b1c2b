import { ChevronsDownUp, ChevronsUpDown, Copy, RefreshCw, Send } from "lucide-react";
import type { Plan, PlanFormat } from "#client/api.gen.ts";
import { Button, IconButton } from "#kit/core.tsx";
import { Dropdown, MenuItem, toasts } from "#kit/overlays.tsx";
import { useAction } from "../../actions.tsx";
import { asApiError, useEngine } from "../../engine.tsx";
import { sentence, w } from "../../words.ts";
import css from "./plan.module.css";

interface PlanToolsProps {
  plan: Plan;
  active: boolean;
  open: ReadonlySet<number>;
  setOpen(open: ReadonlySet<number>): void;
  /** Absent where it may not be done. */
  handOver?: ((step?: number) => void) | undefined;
}

const FORMATS: { format: PlanFormat; label: string; name: string }[] = [
  { format: "markdown", label: w.plan.markdown, name: "Markdown" },
  { format: "xml", label: w.plan.xml, name: "XML" },
  { format: "json", label: w.plan.json, name: "JSON" },
  { format: "raw", label: w.plan.raw, name: "the raw answer" },
];

/** Check again, expand, export. */
export function PlanTools({ plan, active, open, setOpen, handOver }: PlanToolsProps) {
  const { connection } = useEngine();
  const say = (work: Promise<string>) =>
    void work.then(
      (title) => toasts.add({ title }),
      (error: unknown) => toasts.add({ title: sentence(asApiError(error)) }),
    );
  const verify = () =>
    say(
      connection.call("plans.verify", { plan: plan.id }).then((checked) => {
        connection.store.put("plans.get", { plan: plan.id }, checked);
        return `${w.plan.verified} ${w.plan.findings(checked.errors, checked.warnings)}`.trim();
      }),
    );
  const copy = (format: PlanFormat, name: string) =>
    say(
      connection.call("plans.export", { plan: plan.id, format, accepted_only: false, keep_invisible: false }).then(async ({ text }) => {
        await navigator.clipboard.writeText(text);
        return w.plan.copied(name);
      }),
    );
  const all = plan.steps.every((s) => open.has(s.number));
  const fold = () => setOpen(all ? new Set() : new Set(plan.steps.map((s) => s.number)));
  const ended = plan.state !== "streaming";
  const here = active;
  useAction(ended ? { id: "plan.verify", label: w.plan.verify, run: verify, here } : undefined);
  useAction(handOver && ended ? { id: "plan.handover", label: w.terminals.handOver.plan, run: () => handOver(), here } : undefined);
  useAction({ id: "plan.fold", label: all ? w.plan.collapse : w.plan.expand, run: fold, here });
  useAction({ id: "plan.markdown", label: w.plan.markdown, run: () => copy("markdown", "Markdown"), here });
  return (
    <>
      {plan.steps.length > 0 && (
        <IconButton label={all ? w.plan.collapse : w.plan.expand} onClick={fold}>
          {all ? <ChevronsDownUp size={16} /> : <ChevronsUpDown size={16} />}
        </IconButton>
      )}
      {ended && <IconButton label={w.plan.verify} onClick={verify}><RefreshCw size={16} /></IconButton>}
      {handOver && ended && plan.steps.length > 0 && (
        <Button look="plain" aria-label={w.terminals.handOver.plan} onClick={() => handOver()}><Send size={16} aria-hidden="true" />{w.terminals.handOver.short}</Button>
      )}
      <Dropdown align="end" trigger={<Button look="plain" aria-label={w.plan.export}><Copy size={16} aria-hidden="true" /><span className={css.wideOnly}>{w.plan.export}</span></Button>}>
        {FORMATS.map(({ format, label, name }) => <MenuItem key={format} onClick={() => copy(format, name)}>{label}</MenuItem>)}
      </Dropdown>
    </>
  );
}
