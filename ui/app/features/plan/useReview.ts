import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore, type RefObject } from "react";
import type { Plan, Step } from "#client/api.gen.ts";
import { toasts } from "#kit/overlays.tsx";
import { useAction } from "../../actions.tsx";
import { useEngine, useMay } from "../../engine.tsx";
import { fromHere } from "../../lead.ts";
import { w } from "../../words.ts";
import { saidOf } from "../jobs/asking.ts";
import { acceptable, ended, overridable } from "./gate.ts";
import { Review, withUndecided, type Statuses } from "./review.ts";

const NONE: Statuses = new Map();
const none = () => NONE;
const ignore = () => () => {};

/** What was said last to who cannot see it; the number tells that the same was said again. */
export interface Said {
  text: string;
  n: number;
}

/** What is being written under a step. One field at a time. */
export type WritingKind = "comment" | "ask";
export interface WritingAt {
  step: string;
  kind: WritingKind;
}

/** What a card needs to act on its step. Replaced only when what this device may do changes: the cards are memoised. */
export interface StepTools {
  /** The plan's id. */
  plan: string;
  review: Review;
  mayEdit: boolean;
  mayRun: boolean;
  /** Opens the confirmation that names what would be overridden. */
  override(step: Step): void;
  /** Opens a field under a step, or closes the one that is open and gives the step the focus. */
  write(step: string, kind: WritingKind | undefined): void;
  /** Closes the field and leaves the focus where it is going. */
  stopWriting(): void;
  /** Opens the form of a step, or of one that is to be added. */
  edit(step: string | undefined): void;
  /** What is edited as `from` is this step from now on. */
  becomes(from: string | undefined, to: string): void;
  /** What was to be added is stored: closes the form in which it would be added once more. */
  added(from: string | undefined): void;
  /** Opens the list of versions, at one of them if it is named. */
  versions(at?: number): void;
}

/** The step that is edited; none where one is added. `n` tells one opening of the form from the next. */
export interface Edited {
  step: string | undefined;
  n: number;
}

export interface Reviewing {
  review: Review | undefined;
  statuses: Statuses;
  said: Said;
  tools: StepTools | undefined;
  writing: WritingAt | undefined;
  /** The version that is looked at first; 0 is the present one, undefined is none. */
  looking: number | undefined;
  stopLooking(): void;
  editing: Edited | undefined;
  stopEditing(): void;
  /** The step whose errors the person is about to override. */
  overriding: string | undefined;
  stopOverriding(): void;
}

/** Gives a step the focus, after what is drawn next. */
export function focusStep(step: string): void {
  setTimeout(() => document.querySelector<HTMLElement>(`[data-card="${CSS.escape(step)}"] [data-step]`)?.focus(), 0);
}

/** The review of one plan; `show` opens the card of a step. */
export function useReview(plan: Plan | undefined, show: (step: string) => void): Reviewing {
  const { connection } = useEngine();
  const [said, setSaid] = useState<Said>({ text: "", n: 0 });
  const [overriding, setOverriding] = useState<{ step: string; plan: string | undefined }>();
  const [writing, setWriting] = useState<WritingAt & { plan: string | undefined }>();
  const [editing, setEditing] = useState<Edited & { plan: string | undefined }>();
  const [looking, setLooking] = useState<{ at: number; plan: string | undefined }>();
  const toast = useRef<string>(undefined);
  const id = plan?.id;
  const review = useMemo(() => {
    if (id === undefined) return undefined;
    const say = (text: string) => setSaid((old) => ({ text, n: old.n + 1 }));
    // Only what was done last can be taken back with one press; for the rest there are the versions.
    const undoable = (title: string, undo: () => void) => {
      if (toast.current) toasts.close(toast.current);
      const onClick = () => {
        if (toast.current) toasts.close(toast.current);
        undo();
      };
      toast.current = toasts.add({ title, actionProps: { children: w.undo, onClick } });
    };
    const made: Review = new Review({
      call: (method, params, signal) => connection.call(method, params, signal),
      plan: () => connection.store.peek("plans.get", { plan: id }).value,
      put: (next) => connection.store.put("plans.get", { plan: id }, next),
      refresh: () => connection.store.refresh("plans.get", { plan: id }),
      say,
      made: (text, before, after) => undoable(withUndecided(text, before, after), () => void made.revert(before.version, after.version)),
      decided: undoable,
      asking: () => {
        const lead = fromHere();
        return async (job) => {
          await connection.store.refresh("jobs.list", {});
          lead({ page: "session", session: job.session, station: "approve", job: job.id }, saidOf(connection.store, job.id, job));
        };
      },
    });
    return made;
  }, [connection, id]);
  const statuses = useSyncExternalStore(review?.watch ?? ignore, review?.snapshot ?? none);
  const mayEdit = useMay("edit");
  const mayRun = useMay("run");
  const open = plan !== undefined && ended(plan);
  const tools = useMemo<StepTools | undefined>(
    () => (review && open && id !== undefined ? {
      plan: id, review, mayEdit, mayRun,
      override: (step) => setOverriding({ step: step.id, plan: id }),
      stopWriting: () => setWriting(undefined),
      edit: (step) => setEditing((old) => ({ step, plan: id, n: (old?.n ?? 0) + 1 })),
      becomes: (from, to) => setEditing((old) => (old?.plan === id && old.step === from ? { ...old, step: to } : old)),
      added: (from) => setEditing((old) => (from === undefined && old?.plan === id && old.step === undefined ? undefined : old)),
      versions: (at = 0) => setLooking({ at, plan: id }),
      write: (step, kind) => {
        setWriting(kind && { step, kind, plan: id });
        if (kind) show(step);
        else focusStep(step);
      },
    } : undefined),
    [review, open, mayEdit, mayRun, id, show],
  );
  const stopOverriding = useCallback(() => setOverriding(undefined), []);
  const stopLooking = useCallback(() => setLooking(undefined), []);
  const stopEditing = useCallback(() => setEditing(undefined), []);
  const here = <T extends { plan: string | undefined }>(what: T | undefined): T | undefined => (what?.plan === id ? what : undefined);
  const overridden = here(overriding)?.step;
  // What was asked about errors that are gone meanwhile is not asked again when others come.
  const asked = plan?.steps.find((s) => s.id === overridden);
  const over = overriding !== undefined && !(asked && overridable(asked));
  useEffect(() => {
    if (over) setOverriding(undefined);
  }, [over]);
  return {
    review, statuses, said, tools, looking: here(looking)?.at, stopLooking, writing: here(writing), editing: here(editing), stopEditing, overriding: overridden, stopOverriding,
  };
}

/** The step that has the focus, or had it before something that floats took it. The names of steps say nothing about those of another plan. */
export function useFocusedStep(list: RefObject<HTMLElement | null>, plan: string | undefined): () => string | undefined {
  const last = useRef<string>(undefined);
  useEffect(() => {
    const look = ({ target }: Event) => {
      if (!(target instanceof Element)) return;
      const card = target.closest<HTMLElement>("[data-card]");
      if (card && list.current?.contains(card)) last.current = card.dataset.card;
      else if (!target.closest("[role=dialog], [role=menu], [role=listbox]")) last.current = undefined;
    };
    document.addEventListener("focusin", look);
    document.addEventListener("pointerdown", look);
    return () => {
      document.removeEventListener("focusin", look);
      document.removeEventListener("pointerdown", look);
      last.current = undefined;
    };
  }, [list, plan]);
  return useCallback(() => last.current, []);
}

/** The keys of a review: each is about the step that has the focus. */
export function useReviewActions(plan: Plan | undefined, { tools }: Reviewing, active: boolean, focused: () => string | undefined): void {
  const can = active && plan !== undefined && plan.steps.length > 0;
  const may = useMay("edit");
  const reason = plan && !ended(plan) ? w.review.streaming : undefined;
  const on = (what: (step: Step, by: StepTools) => void) => () => {
    const step = plan?.steps.find((s) => s.id === focused());
    if (step && tools) what(step, tools);
    else toasts.add({ title: w.review.choose });
  };
  const key = (id: string, label: string, keys: string, what: (step: Step, by: StepTools) => void) =>
    can && may ? { id, label, keys, run: on(what), reason, here: true } : undefined;
  useAction(key("step.accept", w.review.acceptStep, "a", accept));
  useAction(key("step.reject", w.review.rejectStep, "x", (step, by) => by.review.decide(step, "rejected")));
  useAction(key("step.reopen", w.review.reopenStep, "o", (step, by) => by.review.decide(step, "open")));
  useAction(key("step.comment", w.review.commentStep, "c", (step, by) => by.write(step.id, "comment")));
  const mayRun = useMay("run");
  useAction(can && mayRun ? { id: "step.ask", label: w.review.ask.step, run: on((step, by) => by.write(step.id, "ask")), reason, here: true } : undefined);
  useAction(key("step.edit", w.review.edit.step, "e", (step, by) => by.edit(step.id)));
  useAction(can && may ? { id: "step.add", label: w.review.edit.add, run: () => tools?.edit(undefined), reason, here: true } : undefined);
  useAction(key("step.repair", w.review.repairFirst, "f", repairFirst));
  const all = can && may ? () => tools?.review.acceptAll(plan) : undefined;
  const noOpen = plan && acceptable(plan).length === 0 ? w.review.noOpen : undefined;
  useAction(can ? { id: "plan.versions", label: w.review.versions.title, run: () => tools?.versions(), reason, here: true } : undefined);
  useAction(all ? { id: "plan.acceptAll", label: w.review.acceptAll, run: all, reason: reason ?? noOpen, here: true } : undefined);
}

/** A step that has not arrived whole is not accepted: it would be held back without anybody having read it. */
export function accept(step: Step, by: StepTools): void {
  if (step.complete) by.review.decide(step, "accepted");
  else toasts.add({ title: w.review.incomplete });
}

/** Applies a fix; its button is gone then, so the focus goes to the step. */
export function repair(step: Step, at: number, by: StepTools): void {
  void by.review.repair(step, at).then((done) => done && focusStep(step.id));
}

function repairFirst(step: Step, by: StepTools): void {
  const at = step.findings.findIndex((f) => f.repair !== undefined);
  if (at < 0) toasts.add({ title: w.review.noRepair });
  else repair(step, at, by);
}
