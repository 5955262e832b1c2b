/** Words for the help of a model with the words of a task. */
export const help = {
  refine: "Refine", refineAll: "Refine the whole task with a model",
  improve: "Improve selection", improveAll: "Improve the selection with a model",
  passage: "Passage", wish: "How it should be better", wishHint: "Leave it empty for better words as the model sees fit.",
  ask: "Ask",
  moved: "The selected passage was changed meanwhile. Nothing was sent; select it again.",

  label: "Help with the task",
  preparing: "Putting together what would be sent.",
  waiting: {
    refine: "A request to put the task precisely waits for your approval.",
    improve: "A request for better words waits for your approval.",
  },
  look: "Look at it",
  someone: "A model",
  running: {
    refine: (who: string) => `${who} is putting the task precisely.`,
    improve: (who: string) => `${who} is looking for better words.`,
  },
  applied: "A model's words are in the task.",
  same: "The model left the words as they were.",
  dropped: "The words were changed meanwhile, so nothing was applied.",
  show: "Show change", read: "Read it", use: "Use it", dismiss: "Dismiss",
  changed: "What changed", suggested: "What the model suggests",
  removed: "Removed", added: "Added",
  undoReason: "The task was changed since. Its steps can be taken back one by one.",
  undone: "The words from before are back.",
  used: "The suggested words are in the task.",
};
