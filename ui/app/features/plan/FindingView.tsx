import { CircleAlert, Info, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import type { Finding, Severity } from "#client/api.gen.ts";
import { Pill } from "#kit/core.tsx";
import { Names, Seen } from "#kit/values.tsx";
import { w } from "../../words.ts";
import css from "./plan.module.css";

const ORDER: Severity[] = ["error", "warning", "info"];
const ICONS = { error: CircleAlert, warning: TriangleAlert, info: Info };

/** The weight of the heaviest finding. */
export function worst(findings: Finding[]): Severity | undefined {
  return ORDER.find((severity) => findings.some((f) => f.severity === severity));
}

/** What the check found, and beside it what can be done about it. */
export function FindingView({ finding: f, children }: { finding: Finding; children?: ReactNode }) {
  const Icon = ICONS[f.severity];
  return (
    <div className={css.finding} data-severity={f.severity}>
      <Icon size={14} aria-hidden="true" />
      <p>
        <b>{w.plan.severity[f.severity]}:</b> <Names text={f.message} />
        {!children && f.suggestion && !f.message.includes(f.suggestion) && <> {w.plan.suggestion} <code><Seen text={f.suggestion} /></code></>}
      </p>
      {children}
    </div>
  );
}

/** How many findings a step has, on its closed card. */
export function FindingMark({ severity, n }: { severity: Severity; n: number }) {
  const Icon = ICONS[severity];
  const tone = severity === "error" ? "error" : severity === "warning" ? "warning" : "plain";
  return <Pill tone={tone}><Icon size={12} aria-hidden="true" />{w.plan.severity[severity]}{n > 1 && ` ${n}`}</Pill>;
}
