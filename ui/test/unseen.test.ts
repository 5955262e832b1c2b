import assert from "node:assert/strict";
import { test } from "node:test";
import { createElement, type ReactElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { EngineContext, type Engine } from "#app/engine.tsx";
import { Header, windowTitle } from "#app/Header.tsx";
import { ApprovalsPage } from "#app/features/approval/ApprovalsPage.tsx";
import { JobRow } from "#app/features/jobs/JobRow.tsx";
import { ProjectsPage } from "#app/features/projects/ProjectsPage.tsx";
import { Rail } from "#app/features/sessions/Rail.tsx";
import { SessionsPage } from "#app/features/sessions/SessionsPage.tsx";
import { TerminalRow } from "#app/features/terminals/TerminalRow.tsx";
import { w } from "#app/words.ts";
import { Button, Checkbox, IconButton } from "#kit/core.tsx";
import { plain } from "#kit/invisible.ts";
import { Code, ErrorState } from "#kit/states.tsx";
import { Path } from "#kit/values.tsx";
import { connected } from "./fake/connected.ts";
import * as data from "./fake/data.ts";
import { terminal } from "./fake/terminals.ts";

const HIDDEN = /[\u200b\u202e]/;
const hide = (text: string): string => `${text}\u202etxt.exe\u200b`;
const project = { ...data.project, name: hide("courier") };
const session = { ...(data.sessions[0] as (typeof data.sessions)[0]), title: hide("Retry") };
const job = data.job({ state: "waiting_approval" });

/** A page that knows what hides something, so that it can be drawn at once. */
async function page(): Promise<Engine> {
  const { engine } = await connected();
  const { store } = engine.connection;
  store.put("projects.list", {}, { projects: [project] });
  for (const params of [{}, { project: project.id }]) store.put("sessions.list", params, { sessions: [session] });
  store.put("sessions.get", { session: session.id }, session);
  store.put("jobs.list", {}, { jobs: [job], more: false });
  return engine;
}
const drawn = (engine: Engine, element: ReactElement): string => renderToStaticMarkup(createElement(EngineContext, { value: engine }, element));

/** Nothing hides in it, and what did is marked so often. */
function marked(markup: string, marks: number, where: string): void {
  assert.doesNotMatch(markup, HIDDEN, where);
  assert.equal(markup.match(/title="U\+202E"/g)?.length ?? 0, marks, `${where}: ${markup}`);
}

test("names of sessions, projects and terminals show what would not be seen in them", async () => {
  const engine = await page();
  const route = { page: "session", session: session.id, station: "plan" } as const;
  const nothing = () => {};
  for (const [where, element, marks] of [
    ["the rail", createElement(Rail, { session: session.id }), 1],
    ["the header", createElement(Header, { route, wide: true, rail: true, setRail: nothing, float: nothing }), 2],
    ["the list of sessions", createElement(SessionsPage, { project: project.id }), 2],
    ["the list of projects", createElement(ProjectsPage), 1],
    ["a job", createElement(JobRow, { job }), 1],
    ["what waits", createElement(ApprovalsPage), 1],
    ["a terminal", createElement(TerminalRow, { terminal: terminal({ title: hide("builder"), command: ["make", "\u202eall"] }), here: false }), 3],
  ] as const) marked(drawn(engine, element), marks, where);
});

test("what is read aloud and the window's name tell it too", async () => {
  const engine = await page();
  assert.equal(plain("a\u202eb"), "a[U+202E]b");
  assert.equal(windowTitle(session.title), `Retry[U+202E]txt.exe[U+200B] · ${w.product}`);
  assert.equal(windowTitle(undefined), w.product);
  assert.ok(drawn(engine, createElement(Rail, { session: session.id })).includes('aria-label="Delete session: Retry[U+202E]txt.exe[U+200B]"'));
  for (const element of [
    createElement(IconButton, { label: hide("Delete") }), createElement(Button, { "aria-label": hide("Withdraw") }), createElement(Checkbox, { "aria-label": hide("Include"), readOnly: true }),
    createElement(Path, { path: hide("src/") }), createElement(ErrorState, { text: hide("No file"), details: hide("path"), words: w.error }),
    createElement(Code, { text: hide("let a"), label: hide("src/") }),
  ]) assert.doesNotMatch(renderToStaticMarkup(element), HIDDEN);
});
