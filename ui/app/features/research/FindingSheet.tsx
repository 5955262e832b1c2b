import { CircleStop, ExternalLink, RotateCcw } from "lucide-react";
import type { ReactNode } from "react";
import type { WebFinding, WebSource } from "#client/api.gen.ts";
import { Actions, Button, Checkbox } from "#kit/core.tsx";
import { Sheet } from "#kit/overlays.tsx";
import { CopyButton, Note } from "#kit/states.tsx";
import { Money, RelativeTime, Seen } from "#kit/values.tsx";
import { useEngine, useMay, useTask, useWhyNot } from "../../engine.tsx";
import { ErrorNote } from "../../ErrorNote.tsx";
import { go } from "../../route.ts";
import { w } from "../../words.ts";
import { hostOf, isAnswer, openable, type Phase } from "./research.ts";
import css from "./research.module.css";
import type { Attaching } from "./useResearch.ts";

interface FindingSheetProps {
  finding: WebFinding;
  phase: Phase;
  attach: Attaching;
  onClose(): void;
  /** Writes the question down once more. */
  again(): void;
}

/** A question with its answer and what that rests on. All of it is words of strangers. */
export function FindingSheet({ finding, phase, attach, onClose, again }: FindingSheetProps) {
  const mayRun = useMay("run");
  const whyNotAttach = useWhyNot("edit");
  const answered = isAnswer(finding);
  return (
    <Sheet title={w.research.one} close={w.close} open onClose={onClose} wide>
      <p className={css.asked}><Seen text={finding.question} /></p>
      {phase === "cut" && <Note tone="warning">{w.research.cutText}</Note>}
      {finding.trouble !== undefined && <Note tone={phase === "failed" ? "error" : phase === "canceled" ? "info" : "warning"}><Seen text={finding.trouble} /></Note>}
      {phase in w.research.phaseText && <Open finding={finding} phase={phase as keyof typeof w.research.phaseText} onClose={onClose} />}
      {answered && <div className={css.answer}><Seen text={finding.answer.trim()} /></div>}
      {answered && <Sources sources={finding.sources} />}
      <Facts finding={finding} />
      <ErrorNote error={attach.error} />
      <Actions>
        {answered && (
          <label className={css.attach} title={whyNotAttach}>
            <Checkbox checked={attach.attached(finding)} disabled={whyNotAttach !== undefined} onChange={(e) => attach.set(finding, e.target.checked)} />{w.research.attachIt}
          </label>
        )}
        {answered && <CopyButton text={finding.answer} words={{ copy: w.research.copy, copied: w.error.copied }} />}
        {mayRun && finding.state !== "asked" && finding.state !== "answered" && <Button onClick={again}><RotateCcw size={16} aria-hidden="true" />{w.research.again}</Button>}
      </Actions>
    </Sheet>
  );
}

/** What can be done about a question that has no answer yet. */
function Open({ finding, phase, onClose }: { finding: WebFinding; phase: keyof typeof w.research.phaseText; onClose(): void }) {
  const { connection } = useEngine();
  const may = useMay("run");
  const task = useTask();
  const stop = () =>
    task.run(async () => {
      await connection.call("jobs.cancel", { job: finding.job });
      await Promise.all([connection.store.refresh("jobs.list", {}), connection.store.refresh("research.list", { session: finding.session })]);
    });
  const look = () => {
    onClose();
    go({ page: "session", session: finding.session, station: "approve", job: finding.job });
  };
  return (
    <>
      <p className="quiet" role="status">{w.research.phaseText[phase]}</p>
      <ErrorNote error={task.error} />
      <Actions>
        {phase === "waiting" && <Button look="primary" onClick={look}>{w.research.look}</Button>}
        {may && <Button disabled={task.busy} onClick={stop}><CircleStop size={16} aria-hidden="true" />{w.stop}</Button>}
      </Actions>
    </>
  );
}

function Sources({ sources }: { sources: WebSource[] }) {
  if (sources.length === 0) return null;
  return (
    <section className={css.sources} aria-label={w.research.sources}>
      <h3>{w.research.sources}</h3>
      <ol>{sources.map((source) => <li key={source.url}><Source source={source} /></li>)}</ol>
    </section>
  );
}

/** The whole address stands below its name, so that nobody is led elsewhere than it says. */
function Source({ source: { url, title, date, quote } }: { source: WebSource }) {
  const name = <Seen text={title || hostOf(url)} />;
  return (
    <>
      {openable(url)
        ? <a className={css.link} href={url} target="_blank" rel="noopener noreferrer">{name}<ExternalLink size={13} aria-label={w.research.outside} /></a>
        : <span className={css.link}>{name}<small>{w.research.notSafe}</small></span>}
      <code className={css.url}><Seen text={url} /></code>
      {date !== undefined && <span className={css.small}>{w.research.dated("")}<Seen text={date} /></span>}
      {quote !== undefined && quote !== "" && <q className={css.quote}><Seen text={quote} /></q>}
    </>
  );
}

function Facts({ finding }: { finding: WebFinding }) {
  return (
    <dl className={css.facts}>
      {finding.why !== "" && <Fact name={w.research.why}><Seen text={finding.why} /></Fact>}
      {finding.searches.length > 0 && <Fact name={w.research.searchedFor}>{finding.searches.map((s, i) => <span key={i} className={css.search}><Seen text={s} /></span>)}</Fact>}
      {finding.served !== undefined && <Fact name={w.research.by}><Seen text={finding.served} /></Fact>}
      {finding.cost !== undefined && <Fact name={w.research.cost}><Money micro={finding.cost} /></Fact>}
      {finding.answered_at !== undefined && <Fact name={w.research.on}><RelativeTime at={finding.answered_at} /></Fact>}
    </dl>
  );
}

const Fact = ({ name, children }: { name: string; children: ReactNode }) => <><dt>{name}</dt><dd>{children}</dd></>;
