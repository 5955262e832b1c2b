import { ArrowRight, FileMinus, FilePen, FilePlus, FileSymlink } from "lucide-react";
import type { Operation, OperationKind } from "#client/api.gen.ts";
import { Pill } from "#kit/core.tsx";
import { Code } from "#kit/states.tsx";
import { Path, Seen } from "#kit/values.tsx";
import { w } from "../../words.ts";
import css from "./plan.module.css";

const ICONS = { create: FilePlus, modify: FilePen, delete: FileMinus, move: FileSymlink };

/** What happens to a file: a colour, a shape and a word. */
export function KindMark({ kind }: { kind: OperationKind }) {
  const Icon = ICONS[kind];
  return <Pill tone={kind}><Icon size={12} aria-hidden="true" />{w.plan.kinds[kind]}</Pill>;
}

export function OperationView({ operation: o }: { operation: Operation }) {
  return (
    <div className={css.operation}>
      <div className={css.operationHead}>
        <KindMark kind={o.kind} />
        <Path path={o.path} wrap />
        {o.to !== undefined && <><ArrowRight size={14} aria-label="to" /><Path path={o.to} wrap /></>}
        {o.symbol && <code className={css.symbol}><Seen text={o.symbol} /></code>}
        {o.lines && <span className={css.lines}>{w.plan.lines(...o.lines)}</span>}
      </div>
      {o.change.trim() !== "" && <Code text={o.change} label={w.plan.change(o.path)} />}
    </div>
  );
}
