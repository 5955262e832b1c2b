/** A permission for what a session asks next, given with an approval. */
export const remember = {
  button: "Allow more", action: "Send, and let this session send more without asking",
  title: "Send, and allow more",
  lead: (to: string, door: string) => `This request is sent. What the session asks next goes to ${to}, ${door}, without asking, until the amount or the time is used up. A secret in a request ends it.`,
  cap: "Up to", capHint: "Dollars for all that follows; this request does not count.", wrongAmount: "Write dollars, such as 1 or 0.50.",
  time: "For", times: { 15: "15 minutes", 60: "1 hour", 240: "4 hours", 480: "8 hours" },
  under: "Only files in", underPlaceholder: "the whole project", underHint: "A folder of the project. Requests with a list of definitions or a plan in them ask all the same.",
  only: (folder: string) => `Only ${folder}`,
  web: "Also requests that let the provider search the web",
  send: "Send and allow more",
  secrets: "Secrets were found in this request, so it can only be approved by itself.",
  unpriced: "The price of this model is not known, so no amount could hold.",
};
