import { CheckCheck, ChevronsDownUp, ChevronsUpDown, Copy, Ellipsis, History, RefreshCw, Send } from "lucide-react";
import type { Plan, PlanFormat } from "#client/api.gen.ts";
import { Button, IconButton } from "#kit/core.tsx";
import { Dropdown, MenuItem, MenuSeparator, toasts } from "#kit/overlays.tsx";
import { useAction } from "../../actions.tsx";
import { asApiError, useEngine, useMay, useWhyNot } from "../../engine.tsx";
import { useWide } from "../../wide.ts";
import { sentence, w } from "../../words.ts";
import css from "./plan.module.css";

interface PlanToolsProps {
  plan: Plan;
  active: boolean;
  /** The steps that are open, by id. */
  open: ReadonlySet<string>;
  setOpen(open: ReadonlySet<string>): void;
  /** Absent where nothing may be decided. */
  acceptAll?: (() => void) | undefined;
  /** Absent while it is written. */
  versions?: (() => void) | undefined;
  /** Absent where it may not be done. */
  handOver?: ((step?: string) => void) | undefined;
}

const FORMATS: { format: PlanFormat; label: string; name: string }[] = [
  { format: "markdown", label: w.plan.markdown, name: "Markdown" },
  { format: "xml", label: w.plan.xml, name: "XML" },
  { format: "json", label: w.plan.json, name: "JSON" },
  { format: "raw", label: w.plan.raw, name: "the raw answer" },
];

/** Check again, expand, export. */
export function PlanTools({ plan, active, open, setOpen, acceptAll, versions, handOver }: PlanToolsProps) {
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
  const whyNotVerify = useWhyNot("files");
  const mayEdit = useMay("edit");
  const save = mayEdit && plan.state !== "streaming" && plan.steps.length > 0
    ? () => say(connection.call("plans.save", { plan: plan.id }).then(({ path }) => w.review.saved(path)))
    : undefined;
  useAction(save ? { id: "plan.save", label: w.review.saveInto, run: save, here: active } : undefined);
  const all = plan.steps.every((s) => open.has(s.id));
  const fold = () => setOpen(all ? new Set() : new Set(plan.steps.map((s) => s.id)));
  const ended = plan.state !== "streaming";
  const here = active;
  // Where there is little room, what is used less stands in the menu.
  const wide = useWide();
  useAction(ended ? { id: "plan.verify", label: w.plan.verify, run: verify, reason: whyNotVerify, here } : undefined);
  useAction(handOver && ended ? { id: "plan.handover", label: w.terminals.handOver.plan, run: () => handOver(), here } : undefined);
  useAction({ id: "plan.fold", label: all ? w.plan.collapse : w.plan.expand, run: fold, here });
  useAction({ id: "plan.markdown", label: w.plan.markdown, run: () => copy("markdown", "Markdown"), here });
  return (
    <>
      {wide && plan.steps.length > 0 && (
        <IconButton label={all ? w.plan.collapse : w.plan.expand} onClick={fold}>
          {all ? <ChevronsDownUp size={16} /> : <ChevronsUpDown size={16} />}
        </IconButton>
      )}
      {acceptAll && <IconButton label={w.review.acceptAll} onClick={acceptAll}><CheckCheck size={16} /></IconButton>}
      {wide && versions && <IconButton label={w.review.versions.button} onClick={versions}><History size={16} /></IconButton>}
      {wide && ended && <IconButton label={w.plan.verify} reason={whyNotVerify} onClick={verify}><RefreshCw size={16} /></IconButton>}
      {handOver && ended && plan.steps.length > 0 && (
        <Button look="plain" aria-label={w.terminals.handOver.plan} onClick={() => handOver()}><Send size={16} aria-hidden="true" />{w.terminals.handOver.short}</Button>
      )}
      <Dropdown align="end" trigger={<Button look="plain" aria-label={wide ? w.plan.export : w.plan.more}>{wide ? <Copy size={16} aria-hidden="true" /> : <Ellipsis size={16} aria-hidden="true" />}<span className={css.wideOnly}>{w.plan.export}</span></Button>}>
        {!wide && plan.steps.length > 0 && <MenuItem onClick={fold}>{all ? w.plan.collapse : w.plan.expand}</MenuItem>}
        {!wide && ended && <MenuItem disabled={whyNotVerify !== undefined} onClick={verify}><span className={css.earlier}><span>{w.plan.verify}</span>{whyNotVerify && <small>{whyNotVerify}</small>}</span></MenuItem>}
        {!wide && versions && <MenuItem onClick={versions}>{w.review.versions.button}</MenuItem>}
        {save && <MenuItem onClick={save}>{w.review.saveInto}</MenuItem>}
        {(!wide || save) && <MenuSeparator />}
        {FORMATS.map(({ format, label, name }) => <MenuItem key={format} onClick={() => copy(format, name)}>{label}</MenuItem>)}
      </Dropdown>
    </>
  );
}
