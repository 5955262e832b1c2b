import type { OperationKind, Origin, Repair } from "#client/api.gen.ts";
import { count } from "#kit/format.ts";

const steps = (numbers: number[]): string => `${numbers.length === 1 ? "step" : "steps"} ${numbers.join(", ")}`;

/** Words for what a person does with the steps of a plan. */
export const review = {
  label: "Review",
  accept: "Accept", reject: "Reject", reopen: "Reopen",
  acceptStep: "Accept step", rejectStep: "Reject step", reopenStep: "Reopen step",
  acceptAll: "Accept all open steps",
  marks: { open: "open", accepted: "accepted", rejected: "rejected", held: "held back", despite: "despite errors" },
  marksLong: {
    open: "Nothing was decided yet", accepted: "Accepted", rejected: "Rejected: never handed over",
    held: "Accepted, and held back: errors were found in it, or it is not complete", despite: "Accepted despite errors that were found in it",
  },
  decided: { accepted: "accepted", rejected: "rejected", open: "open again" },
  said: (n: number, what: string) => `Step ${n} ${what}.`,
  saidHeld: (n: number) => `Step ${n} accepted, and held back: errors were found in it.`,
  saidDespite: (n: number) => `Step ${n} accepted despite its errors.`,
  acceptedAll: (n: number, held: number) => `Accepted ${count(n, "step")}${held > 0 ? `; ${held} held back, because errors were found` : ""}.`,
  reopened: (n: number) => `${count(n, "step")} open again.`, reopenedNone: "Nothing of it is left to take back: more was decided since.",
  noOpen: "No step is open.", alreadyOpen: "Nothing was decided about it yet.",
  streaming: "The plan is still being written.",
  incomplete: "Not all of this step has arrived. Edit it, or let the plan be continued.",
  choose: "Go to a step first: J goes to the next one.",
  mayNot: "This device may look at plans, but not decide about them.",

  gate: {
    accepted: (n: number, of: number) => `${n} of ${of} accepted`,
    held: "Held back:",
    open: (n: number) => `${n} open`, rejected: (n: number) => `${n} rejected`,
    errors: (n: number) => `${n} with errors`, incomplete: (n: number) => `${n} not complete`,
    free: "Nothing is held back.",
    why: { incomplete: "Not complete, so it is not handed over.", rejected: "Rejected, so it is not handed over.", open: "Not accepted yet.", errors: "Errors were found in it, so it is held back." },
  },

  override: {
    button: "Override errors", title: (n: number) => `Hand step ${n} over despite its errors?`,
    lead: (n: number) => (n === 1 ? "The check found an error in this step:" : `The check found ${n} errors in this step:`),
    text: "It is held back until they are repaired, unless you override them. An override holds until the step is changed or reopened.",
    confirm: "Accept despite errors", keep: "Keep it back", changed: "Other errors are found in the step now. Nothing was decided; look at them.",
  },

  trouble: {
    changed: (n: number) => `Step ${n} was changed while you decided. Nothing was done; look at it, then decide again.`,
    gone: "This step is not in the plan any more. Nothing was done.",
    newer: "What is shown is the plan as it is now.",
    notUndone: (version: number) => `The plan was changed since: it is at version ${version}. Nothing was taken back; choose a version under Versions.`,
    dismiss: "Dismiss",
  },

  repair: "Apply fix", repairFirst: "Apply the first fix", noRepair: "No fix is offered for this step.",
  repaired: (n: number, left: number) => `Step ${n} repaired${left === 0 ? "; nothing is found in it now" : `; ${count(left, "finding")} now`}.`,
  reverted: (to: number) => `Version ${to} is taken up again.`,

  comment: "Comment", commentStep: "Comment on step", comments: "Comments", commented: "Comment stored.",
  commentsN: (n: number) => count(n, "comment"),
  commentLabel: (n: number) => `Comment on step ${n}`, commentHint: "It stands beside the step and is no part of it.",
  store: "Store comment", go: "Go on with the comment",

  edit: {
    button: "Edit", step: "Edit step", title: (n: number) => `Edit step ${n}`, add: "Add a step", addTitle: "Add a step",
    fields: { title: "Title", why: "Why", confidence: "confidence", after: "After steps", position: "Place in the plan", operations: "Changes", commands: "Commands", checks: "Checks" },
    afterHint: "Numbers of the steps that come before, for example 1, 2.",
    goneRef: (n: number | undefined) => `${n ?? "a step"} (gone)`,
    kind: "What happens", path: "File", to: "New place", symbol: "Symbol", lines: "Lines", first: "First line", last: "Last line", change: "Change",
    operation: (n: number) => `Change ${n}`,
    addOperation: "Add a change", removeOperation: (n: number) => `Remove change ${n}`,
    command: (n: number) => `Command ${n}`, addCommand: "Add a command", removeCommand: (n: number) => `Remove command ${n}`,
    check: (n: number) => `Check ${n}`, addCheck: "Add a check", removeCheck: (n: number) => `Remove check ${n}`,
    store: "Store change", storeNew: "Add step", again: "Begin anew", remove: "Remove step",
    restored: "What you began is here again. It is not stored yet.",
    more: "What you stored is in the plan. What you typed since is not stored yet.",
    moved: "This step was changed elsewhere meanwhile. What you have not touched is shown as it is now.",
    both: (fields: string) => `You both changed: ${fields}. Yours is kept here; storing it takes the place of the other.`,
    theirs: "What changed elsewhere", take: "Take the other",
    gone: "This step is not in the plan any more. What you wrote is kept here; it can be stored as a new step.",
    unseen: (n: number) => `${count(n, "character")} in this step cannot be seen, or turn the direction of what follows. The card of the step shows where.`,
    stored: (n: number) => `Step ${n} changed.`, added: (n: number) => `Step ${n} added.`, removed: (n: number) => `Step ${n} removed.`,
    problems: {
      title: "A step needs a title.", path: "Name the file.", to: "Name the place to which it moves.",
      lines: "Lines are whole numbers from 1.", order: "The last line comes before the first.",
      after: "Numbers of steps, separated by commas.", noStep: (n: number) => `There is no step ${n} that could come before.`,
      position: (most: number) => `A number from 1 to ${most}.`,
      gone: (which: string) => `${which}: this step is not in the plan any more. Take it out, or name another.`,
      goneAt: (most: number) => `The step that stood there is not in the plan any more. Name another place, from 1 to ${most}.`,
    },
  },

  ask: {
    button: "Ask for changes", step: "Ask a model to change the step", label: (n: number) => `What is to change in step ${n}`,
    hint: (model: string) => `${model} is asked. What would be sent is shown first, unless a standing permission covers it.`,
    send: "Ask", strip: "Change of a step",
    preparing: "Putting together what would be sent.", waiting: "A request to change a step waits for your approval.",
    running: (who: string) => `${who} is changing a step.`, look: "Look at it",
    ended: "What was asked about a step is answered. In this plan nothing was changed by it.",
    show: "Show change",
  },
  /** A plan that a model makes of this one: this with its rest, or one plan of several. */
  making: {
    strip: "Plans that build on this one",
    preparing: "A request for a plan that builds on this one is being put together.", waiting: "A request for a plan that builds on this one waits for your approval.",
    running: (who: string) => `${who} is writing a plan that builds on this one.`, other: (state: string) => `A request for a plan that builds on this one: ${state}.`,
  },
  versions: {
    title: "Versions", button: "Versions",
    origins: { model: "answer of a model", merge: "made of several plans", draft: "draft without a model", edit: "edited", repair: "fix applied", step_change: "changed by a model", revert: "taken up again" } satisfies Record<Origin, string>,
    now: "shown now", isNow: "This is the version that is shown now.",
    with: (n: number) => `Version ${n} compared with`, option: (n: number) => `version ${n}`, optionNow: (n: number) => `version ${n}, shown now`,
    between: (from: number, to: number) => `What differs between version ${from} and version ${to}`,
    same: "These versions do not differ.", linesOf: (title: string) => `Lines of “${title}”`, alike: (n: number) => `${count(n, "line")} alike`,
    revert: (n: number) => `Revert to version ${n}`,
    place: {
      changed: (n: number) => `step ${n} was changed`, moved: (a: number, b: number) => `step ${a} became step ${b}`,
      added: (n: number) => `step ${n} is new`, gone: (n: number) => `step ${n} is gone`,
    },
  },
  compare: {
    title: "Compare plans", open: "Compare plans", which: "Plans to compare", choose: "Choose two to five plans of this session.",
    rows: "Steps side by side", noFile: "No file", differ: "They differ:",
    make: (n: number) => `Make a plan of ${count(n, "step")}`, twoPlans: "Tick steps of at least two plans.",
    made: (n: number, plans: number) => `Made a plan of ${count(n, "step")} from ${plans} plans.`,
    model: {
      button: "Merge with a model", wish: "What you want of the merge, if anything", send: "Ask", busy: "Putting together what would be sent.",
      hint: (model: string, n: number) =>
        `${model} is asked to make one new plan of these ${n} plans, whatever is ticked. They stay as they are. What would be sent is shown first, unless a standing permission covers it.`,
    },
    from: (n: number) => `taken from step ${n} of another plan`,
  },
  saveInto: "Save into the repository", saved: (path: string) => `Saved as ${path}.`,
  continue: "Continue the plan", continueHint: "Have a model write the rest of the plan",

  handOver: {
    open: (n: number) => `Also ${count(n, "step")} that nobody decided about`,
    goes: (n: number, of: number) => (n === of ? (n === 1 ? "The one step goes." : `All ${n} steps go.`) : n === 0 ? "No step goes." : `${n} of ${count(of, "step")} ${n === 1 ? "goes" : "go"}.`),
    held: (n: number[]) => `Held back by review: ${steps(n.slice(0, 12))}${n.length > 12 ? ` and ${n.length - 12} more` : ""}.`,
  },

  undecided: (n: number[]) => `Changed, and so open again: ${steps(n)}.`,
};

const kinds: Record<OperationKind, string> = { create: "a new file", modify: "a change", delete: "a removal", move: "a move" };

/** What a repair does, in words; names stand between backticks. */
export function repairText(repair: Repair): string {
  switch (repair.kind) {
    case "use_path": return `Use the path \`${repair.path}\``;
    case "use_symbol": return `Use the symbol \`${repair.symbol}\``;
    case "drop_symbol": return "Name no symbol";
    case "use_lines": return repair.first === repair.last ? `Use line ${repair.first}` : `Use lines ${repair.first}–${repair.last}`;
    case "drop_lines": return "Name no lines";
    case "use_kind": return `Make it ${kinds[repair.operation]}`;
    case "drop_dependency": return `Do not wait for step ${repair.step}`;
    case "drop_operation": return "Leave it out: an earlier operation does the same";
    case "drop_file": return "Leave out everything that is done with the file before it goes";
    case "move_after": return `Move the step behind step ${repair.step}`;
  }
}
