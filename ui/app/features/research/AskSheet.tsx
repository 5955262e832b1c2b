import { Globe } from "lucide-react";
import type { KeyboardEvent } from "react";
import { Actions, Button, cx, Field } from "#kit/core.tsx";
import kit from "#kit/kit.module.css";
import { Sheet } from "#kit/overlays.tsx";
import { Note } from "#kit/states.tsx";
import { useEngine, useKeptTask } from "../../engine.tsx";
import { ErrorNote } from "../../ErrorNote.tsx";
import { fromHere, useSheetLead, type SheetLead } from "../../lead.ts";
import { w } from "../../words.ts";
import { ModelPicker } from "../account/ModelPicker.tsx";
import { useMounted } from "../../useMounted.ts";
import { saidOf } from "../jobs/asking.ts";
import type { SessionView } from "../sessions/view.ts";
import { ask, taskOf } from "./ask.ts";
import { askProblem, MOST_QUESTIONS, MOST_SEARCHES, questionsOf, type AskDraft } from "./research.ts";
import css from "./research.module.css";
import { useAble } from "./useResearch.ts";

interface AskSheetProps {
  view: SessionView;
  draft: AskDraft;
  /** What is written here is kept when the sheet is closed, also by Escape. */
  setDraft(draft: AskDraft): void;
  open: boolean;
  onClose(): void;
  /** Something was asked: the list of findings is worth a look. */
  onAsked(): void;
}

/** Questions for the web, or the wish that a model proposes them. */
export function AskSheet({ open, onClose, onAsked, ...rest }: AskSheetProps) {
  const { leave, lead, sent } = useSheetLead(open, onClose);
  const asked: SheetLead = (...where) => {
    onAsked();
    lead(...where);
  };
  return (
    <Sheet title={w.research.ask} close={w.close} open={open} onClose={leave} wide returnFocus={!sent}>
      <AskForm {...rest} asked={asked} />
    </Sheet>
  );
}

interface AskFormProps extends Pick<AskSheetProps, "view" | "draft" | "setDraft"> {
  asked: SheetLead;
}

function AskForm({ view, draft, setDraft, asked }: AskFormProps) {
  const engine = useEngine();
  const { models, model, choose } = useAble();
  const task = useKeptTask(taskOf(view.id));
  const mounted = useMounted();
  const questions = questionsOf(draft.questions);
  const noModel = models !== undefined && !model ? w.research.noneAble : undefined;
  const whyNotAsk = noModel ?? askProblem(draft, true);
  const whyNotPropose = noModel ?? (!view.session?.task.trim() ? w.research.noTask : askProblem(draft, false));
  const start = (propose: boolean) => {
    const lead = fromHere();
    ask(engine, { session: view.id, draft, propose, model: model?.id }, (job) => asked(mounted.current, lead, { page: "session", session: view.id, station: "approve", job }, saidOf(engine.connection.store, job)));
  };
  const submit = () => whyNotAsk === undefined && start(false);
  const key = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.repeat) return;
    event.preventDefault();
    submit();
  };
  const set = (name: keyof AskDraft) => (event: { target: { value: string } }) => setDraft({ ...draft, [name]: event.target.value });
  // What is missing is said by the button; what is wrong with what was typed is said at once.
  const wrong = questions.length > 0 ? askProblem(draft, true) : askProblem(draft, false);
  return (
    <form className={css.form} onKeyDown={key} onSubmit={(event) => { event.preventDefault(); submit(); }}>
      <p className="quiet">{w.research.lead}</p>
      <label className={kit.field}>
        <span>{w.research.questions}</span>
        <textarea className={cx(kit.input, css.questions)} rows={4} autoFocus value={draft.questions} onChange={set("questions")} placeholder={w.research.placeholder} />
        <span className={kit.hint} role="status">{w.research.counted(questions.length, MOST_QUESTIONS)}</span>
      </label>
      <div className={css.bounds}>
        <Field label={w.research.searches} type="number" inputMode="numeric" min={1} max={MOST_SEARCHES} value={draft.searches} onChange={set("searches")} />
        <Field label={w.research.hosts} hint={w.research.hostsHint} mono value={draft.hosts} onChange={set("hosts")} />
      </div>
      {models && model && <div className={css.model}><span aria-hidden="true">{w.research.model}</span><ModelPicker models={models} value={model.id} onChange={choose} /></div>}
      {noModel && <Note tone="warning">{noModel}</Note>}
      {wrong !== undefined && !noModel && <Note tone="warning" live>{wrong}</Note>}
      <ErrorNote error={task.error} />
      <Actions>
        <Button type="submit" look="primary" keys="Mod+Enter" reason={whyNotAsk} disabled={task.busy}><Globe size={16} aria-hidden="true" />{w.research.start(questions.length)}</Button>
        <Button reason={whyNotPropose} disabled={task.busy} onClick={() => start(true)}>{w.research.propose}</Button>
      </Actions>
      <p className={css.small}>{w.research.proposeHint}</p>
    </form>
  );
}
