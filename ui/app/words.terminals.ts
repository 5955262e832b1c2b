import type { PasteRefusal, TerminalExit, TerminalState } from "#client/api.gen.ts";
import { bytes, count } from "#kit/format.ts";

/** What terminals and hand-overs say. */
export const terminals = {
  title: "Terminals", one: "Terminal", toggle: "Show or hide terminals", list: "List of terminals",
  lead: "Shells and agents that go on when this window is closed.",
  empty: "No terminals. Start a shell or an agent; it goes on when this window is closed.",
  emptySession: "No terminal belongs to this session yet. Start one, then hand the plan or a step over to it.",
  none: "Choose a terminal to see its output.",
  shell: "Start a shell", start: "Start a terminal", startCommand: "Start a command", more: "Start with a command",
  project: "Project", command: "Command", commandHint: "The program and its arguments. Empty starts your own shell.",
  name: "Name", nameHint: "Optional. The program's name when empty.", startButton: "Start",
  noProject: "Grant a folder first. Terminals start in a project's folder.",
  states: { running: "running", exited: "ended", lost: "lost" } satisfies Record<TerminalState, string>,
  quiet: (time: string) => `quiet for ${time}`,
  exit: (exit: TerminalExit | undefined) =>
    exit?.signal !== undefined ? `ended by ${exit.signal}` : exit?.code !== undefined ? `ended with ${exit.code}` : "ended",
  exitLine: (exit: TerminalExit) =>
    exit.signal !== undefined ? `The program was ended by ${exit.signal}. Its output stays here.`
    : exit.code !== undefined ? `The program ended with code ${exit.code}. Its output stays here.` : "The program has ended. Its output stays here.",
  lostLine: "The machine was switched off, or the process that held this terminal has gone. The output is kept.",
  started: (title: string) => `${title} was started.`,
  end: "End", endName: (title: string) => `End ${title}`, endTitle: (title: string) => `End “${title}”?`,
  endText: "Its program is stopped and what it has not stored is lost. The output stays.", keep: "Let it run",
  forget: "Forget", forgetName: (title: string) => `Forget ${title}`, forgotten: (title: string) => `Forgot “${title}” and its output.`,
  fit: "Fit to this window", fitPhone: "Fit to this screen", smaller: "Smaller text", larger: "Larger text",
  output: (title: string) => `Output of ${title}`, input: (title: string) => `Type into ${title}`,
  leave: "Ctrl and ` leaves the terminal.",
  gap: (size: string) => `${size} not shown`, readGap: "Read it", gapTitle: "Output that was not shown",
  gapMissing: "This output is no longer kept.", gapCut: (size: string) => `Only the first ${size} are shown here.`,
  attaching: "Reading the output", offline: "Offline. What is shown is not new.",
  retrying: "The process that holds the terminals does not answer. Asking again.",
  waiting: (n: number) => `${count(n, "character")} typed, not taken yet`,
  dropped: "What was typed last was not taken.",
  delayed: "Delayed", delayedText: "This view is behind what the terminal shows.",
  readOnly: "This phone may look, but not type. Allow it at the desktop, under Devices.",
  screenReader: "Read terminals aloud", back: "All terminals",
  link: "Open link", size: (columns: number, rows: number) => `${columns} × ${rows}`,
  paste: {
    refused: "Not pasted", typeAnyway: "Type it line by line",
    reasons: {
      control_characters: "The text has control characters, which could leave the paste and run as commands. Nothing was pasted.",
      no_bracketed_paste: "The program does not take a paste as one piece: each line would be run. Nothing was pasted.",
      foreground: "Another program than the one that was started has the terminal. Nothing was pasted.",
    } satisfies Record<PasteRefusal, string>,
  },
  composer: { label: "Text to send", send: "Send", enter: "Press Enter after it", placeholder: "Write, then send" },
  keys: {
    label: "Keys", escape: "Esc", tab: "Tab", control: "Ctrl", left: "Left", up: "Up", down: "Down", right: "Right",
    interrupt: "Ctrl-C", slash: "Slash", pipe: "Pipe", dash: "Dash", enter: "Enter",
  },
  handOver: {
    plan: "Hand over to a terminal", step: (n: number) => `Hand over step ${n}`, title: "Hand over", short: "Hand over",
    lead: (what: string) => `${what} is put before the program. Nothing is submitted until you press Enter there.`,
    gone: "This step is not in the plan any more. Nothing was handed over.",
    wholePlan: "The whole plan", oneStep: (n: number) => `Step ${n}`, to: "Terminal",
    none: "No terminal runs in this project. Start one, and begin your agent in it.",
    button: "Hand over", submit: "Submit with Enter", submitted: "Enter was sent.", show: "Show the terminal", again: "Hand over again",
    pasted: (n: number) => `Pasted ${count(n, "character")}. Nothing was submitted: press Enter in the terminal.`,
    file: (path: string) => `The text is in ${path} and its path was typed. Nothing was submitted.`,
    why: {
      control_characters: "The program was not given the text itself.",
      no_bracketed_paste: "The program does not take a paste now.",
      foreground: "Another program than the one that was started has the terminal.",
    } satisfies Record<PasteRefusal, string>,
    replaced: (n: number) => `${count(n, "character")} that could steer the terminal ${n === 1 ? "was" : "were"} replaced by a visible sign.`,
    notYet: "The plan is still being written.",
  },
  run: { title: "Run", detail: (running: number) => `${running} running` },
  bytes,
};
