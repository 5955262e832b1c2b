import type { Manifest, Permission, Remember, Settings, UsageRow } from "#client/api.gen.ts";
import { ApiError } from "#client/rpc.ts";
import * as data from "./data.ts";
import type { FakeEngine, Unary } from "./engine.ts";

const MINUTE = 60_000;

/** What the engine keeps to. */
export interface Kept {
  permissions: Permission[];
  settings: Settings;
  usage: { model: UsageRow[]; day: UsageRow[]; session: UsageRow[] };
}

export const permission = (over: Partial<Permission> = {}): Permission => ({
  id: "perm1", session: "s1", door: "server https://plans.example", destinations: [{ provider: "anthropic", model: "claude-sonnet-4-5" }, { provider: "bedrock", model: "claude-sonnet-4-5" }],
  under: "src/http", web: false, cap: 500_000, spent: 182_000, held: 64_000, holds: true, created_at: data.NOW - 22 * MINUTE, created_by: "web", expires_at: data.NOW + 38 * MINUTE + 5_000, ...over,
});

export const permissions: Permission[] = [
  permission(),
  permission({ id: "perm2", session: "s2", door: "direct https://api.openai.com/v1", destinations: [{ provider: "openai", model: "gpt-5.1" }], under: "", web: true, cap: 2_000_000, spent: 0, held: 0, created_by: "cli", expires_at: data.NOW + 7 * 60 * MINUTE + 5_000 }),
  permission({ id: "perm3", session: "s3", holds: false, spent: 410_000, held: 0, created_at: data.NOW - 26 * 60 * MINUTE, expires_at: data.NOW - 25 * 60 * MINUTE, ended: "A secret was found in src/config.rs, line 44." }),
  permission({ id: "perm4", session: "s3", holds: false, spent: 120_000, held: 0, created_at: data.NOW - 50 * 60 * MINUTE, expires_at: data.NOW - 49 * 60 * MINUTE }),
];

const row = (key: string, requests: number, input: number, output: number, cost: number, over: Partial<UsageRow> = {}): UsageRow =>
  ({ key, requests, input_tokens: input, cached_tokens: Math.round(input * 0.3), output_tokens: output, cost, unpriced: 0, ...over });

export const usage: Kept["usage"] = {
  model: [
    row("anthropic/claude-sonnet-4-5", 41, 611_200, 88_900, 2_981_000),
    row("openai/gpt-5.1", 9, 73_100, 12_400, 214_400),
    row("ollama/qwen3-coder", 3, 12_900, 3_100, 0, { unpriced: 3 }),
  ],
  day: [row("2026-11-26", 12, 181_000, 30_100, 1_011_000), row("2026-11-27", 20, 290_200, 41_000, 1_402_000), row("2026-11-28", 21, 226_000, 33_300, 782_400)],
  session: [
    row("s1", 30, 421_000, 60_300, 1_904_000, { title: "Retry failed requests with a growing delay, at most three times." }),
    row("s3", 20, 240_000, 40_000, 1_291_400, { title: "Replace the hand-written date parser" }),
    row("gone", 3, 36_200, 4_100, 0, { unpriced: 3 }),
  ],
};

export const kept = (over: Partial<Kept> = {}): Kept => ({ permissions: [], settings: {}, usage: { model: [], day: [], session: [] }, ...over });

const keptBy = (engine: FakeEngine): Kept => (engine.world.kept ??= kept());

/** A permission that comes with an approval, refused as the engine refuses it. */
export function given(engine: FakeEngine, manifest: Manifest, remember: Remember): void {
  const under = remember.under ?? "";
  if (manifest.files.some((f) => under !== "" && !f.path.startsWith(`${under}/`))) {
    throw new ApiError("invalid", "permission_folder", `Not every file of this request lies in ${under}. Nothing was sent.`);
  }
  const expires_at = data.NOW + remember.minutes * MINUTE;
  const { session, destinations } = manifest;
  const own = keptBy(engine);
  own.permissions = [permission({ id: `perm-${manifest.id}`, session, destinations, under, web: remember.web ?? false, cap: remember.cap, spent: 0, held: 0, created_at: data.NOW, expires_at }), ...own.permissions];
}

export const unary = (engine: FakeEngine): Partial<Unary> => ({
  "approvals.permissions": ({ session }) => ({ permissions: keptBy(engine).permissions.filter((p) => session === undefined || p.session === session) }),
  "approvals.end_permission": ({ permission: id }) => {
    const own = keptBy(engine);
    const found = own.permissions.find((p) => p.id === id);
    if (!found) throw new ApiError("not_found", "no_permission", "This permission does not exist, or its session was deleted.");
    own.permissions = own.permissions.map((p) => (p.id === id ? { ...p, holds: false, ended: "Withdrawn." } : p));
    engine.tell({ topic: "approval", id: "", session: found.session });
    return { permissions: own.permissions.filter((p) => p.session === found.session) };
  },
  "settings.get": () => keptBy(engine).settings,
  "settings.set": (next) => {
    keptBy(engine).settings = next;
    engine.tell({ topic: "settings", id: "" });
    return next;
  },
  "usage.by": ({ group }) => ({ rows: group === "job" ? [] : keptBy(engine).usage[group] }),
});
