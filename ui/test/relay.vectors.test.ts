import assert from "node:assert/strict";
import { test } from "node:test";
import { ed25519 } from "@noble/curves/ed25519.js";
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { concat, fields, RelayError, text, utf8 } from "#client/relay/bytes.ts";
import { fingerprint, keysFromSecret, publicKeys, sign } from "#client/relay/keys.ts";
import { cipherKey, Handshake, KK } from "#client/relay/noise.ts";
import { beginPairing } from "#client/relay/pairing.ts";
import { parseFrame, writeFrame } from "#client/relay/ptc1.ts";
import { Acceptor, DATA, GAP, RecordKeys, SNAPSHOT, streamMessage, type OpenRecord } from "#client/relay/record.ts";
import { enrolmentProof, registrationProof, ticketProof } from "#client/relay/server.ts";
import { beginSession, parseBox, REKEY_MS, SECOND, TRANSPORT, writeBox } from "#client/relay/session.ts";
import { completions, digitsOf, fromQr, fromWords, mailboxOf, pskOf, toQr, toWords } from "#client/relay/words.ts";
import vectors from "../../crates/relay/tests/fixtures/link.json";

const ORIGIN = "https://relay.example";
const counting = (from: number) => keysFromSecret(Uint8Array.from({ length: 64 }, (_, i) => from + i));
const desktop = counting(0);
const phone = counting(64);
const all = (byte: number) => (length: number) => new Uint8Array(length).fill(byte);
const reason = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof RelayError) return error.reason;
    throw error;
  }
  return "none";
};

test("keys and fingerprints", () => {
  for (const [keys, expected] of [[desktop, vectors.desktop], [phone, vectors.phone]] as const) {
    assert.equal(bytesToHex(keys.noise.public), expected.noise);
    assert.equal(bytesToHex(keys.link.public), expected.link);
    assert.equal(fingerprint(publicKeys(keys)), expected.fingerprint);
  }
});

test("what follows from a pairing's secret", () => {
  const expected = vectors.pairing;
  const secret = hexToBytes(expected.secret);
  assert.equal(toWords(secret), expected.words);
  assert.deepEqual(fromWords(`  ${expected.words.toUpperCase().replaceAll(" ", "\n ")} `).secret, secret);
  assert.equal(toQr(ORIGIN, desktop.noise.public, secret), expected.qr);
  assert.deepEqual(fromQr(expected.qr), { origin: ORIGIN, desktop: desktop.noise.public, secret });
  assert.equal(bytesToHex(pskOf(secret)), expected.psk);
  assert.equal(mailboxOf(secret), expected.mailbox);
  assert.equal(digitsOf(all(0x42)(32)), expected.digits_of_42);
  assert.equal(digitsOf(all(0x43)(32)), expected.digits_of_43);
  assert.deepEqual(completions("aban"), ["abandon"]);
});

test("codes that are none say so", () => {
  for (const wrong of ["", "https://x/phone#v2.AAAA.BBBB", "https://x/phone#v1.AAAA.BBBB", "javascript:alert(1)"]) {
    assert.equal(reason(() => fromQr(wrong)), "code", wrong);
  }
  assert.equal(reason(() => fromWords("abandon ".repeat(12))), "code", "the checksum is wrong");
  assert.equal(reason(() => fromWords("zoo zoo")), "code");
});

test("what a phone signs", () => {
  const { registration, ticket, enrolment, certificate } = vectors.signatures;
  const nonce = all(0x33)(32);
  const of = { origin: ORIGIN, account: "account-1", device: "phone-1", generation: 7, nonce, tokenId: "token-1" };
  const made = [
    [registrationProof(of), registration],
    [ticketProof(ORIGIN, "phone-1", nonce), ticket],
    [enrolmentProof(ORIGIN, hexToBytes(certificate)), enrolment],
  ] as const;
  for (const [message, expected] of made) {
    assert.equal(bytesToHex(message), expected.message);
    assert.equal(bytesToHex(sign(phone, message)), expected.signature);
  }
  const signed = hexToBytes(certificate);
  assert.ok(ed25519.verify(signed.slice(-64), signed.slice(0, -64), desktop.link.public));
});

test("a record, its frame and a box", () => {
  const { transport_key, message, record, frame, box_key, box } = vectors.sealed;
  const plain = { kind: DATA, part: 0, of: 1, epoch: 0xffff_ffff_ffff_ffffn, offset: 1000, bytes: utf8("ls\r\n") };
  const keys = new RecordKeys(hexToBytes(transport_key));
  assert.equal(bytesToHex(keys.seal(5, plain, all(0x66))), record);
  assert.deepEqual(keys.open(5, hexToBytes(record)), { ...plain, keyId: 0 });
  assert.equal(bytesToHex(streamMessage(5, plain)), message);
  assert.equal(reason(() => keys.open(6, hexToBytes(record))), "forged", "another stream");
  assert.equal(bytesToHex(writeFrame({ session: "alias-1", payload: hexToBytes(record) })), frame);
  assert.deepEqual(parseFrame(hexToBytes(frame)), { session: "alias-1", payload: hexToBytes(record) });
  const session = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  const ad = fields("plantocode-box-v1", "phone-1", "desktop-1", session, 3);
  const rest = cipherKey(hexToBytes(box_key)).seal(3, ad, concat(Uint8Array.of(0, 0, 1), utf8("{}")));
  assert.equal(bytesToHex(writeBox({ kind: TRANSPORT, session, seq: 3 }, rest)), box);
});

const opened = () => {
  const names = { phone: "phone-1", desktop: "desktop-1" };
  const opening = beginSession(phone, names, desktop.noise.public, all(0x55));
  return { opening, session: opening.finish(hexToBytes(vectors.session.second), 0) };
};

test("a session, byte for byte", () => {
  const { opening, session } = opened();
  assert.equal(bytesToHex(opening.first), vectors.session.first);
  assert.deepEqual(session.seal("hello", 0).map(bytesToHex), [vectors.session.said]);
  const answered = hexToBytes(vectors.session.answered);
  assert.deepEqual(session.open(answered), { api: "welcome" });
  assert.equal(reason(() => session.open(answered)), "out_of_place", "a repetition");
  assert.equal(reason(() => session.open(hexToBytes(vectors.session.said))), "out_of_place", "a reflection");
  assert.equal(session.seal("x", REKEY_MS).length, 2, "the key is renewed first");
});

test("records open after hours of silence", () => {
  const names = { phone: "phone-1", desktop: "desktop-1" };
  const { first, session: id, finish } = beginSession(phone, names, desktop.noise.public, all(0x55));
  const prologue = fields("plantocode-session-v1", names.phone, names.desktop, id);
  const handshake = new Handshake({ pattern: KK, initiator: false, keys: desktop.noise, peer: phone.noise.public, prologue, random: all(0x44) });
  handshake.read(parseBox(first).rest);
  const session = finish(writeBox({ kind: SECOND, session: id, seq: 0 }, handshake.write()), 0);
  let { send } = handshake.finish();
  const sealing = new RecordKeys(send.bytes);
  let seq = 0;
  const rekey = () => {
    const ad = fields("plantocode-box-v1", names.desktop, names.phone, id, seq);
    const box = writeBox({ kind: TRANSPORT, session: id, seq }, send.seal(seq, ad, concat(Uint8Array.of(1, 0, 1), utf8('{"type":"rekey"}'))));
    seq += 1;
    send = send.next();
    sealing.advance();
    return box;
  };
  const record = (offset: number) => sealing.seal(5, { kind: DATA, part: 0, of: 1, epoch: 1n, offset, bytes: utf8("x") }, all(0x66));
  assert.equal(session.open(rekey()), undefined);
  const overtaken = record(0);
  assert.equal(session.open(rekey()), undefined);
  const after = record(1);
  assert.equal(session.records.open(5, overtaken).keyId, 1);
  assert.equal(session.records.open(5, after).keyId, 2);
  const late = rekey();
  assert.equal(session.records.open(5, record(2)).keyId, 3, "before the box that announces its key");
  assert.equal(session.open(late), undefined);
  assert.equal(session.records.open(5, record(3)).keyId, 3, "which does not count twice");
});

test("only what follows is shown", () => {
  const record = (kind: number, offset: number, bytes: Uint8Array, part = 0, of = 1): OpenRecord => ({ kind, keyId: 0, part, of, epoch: 1n, offset, bytes });
  const acceptor = new Acceptor(1n, 5);
  const refused = (r: OpenRecord) => reason(() => acceptor.take(r)) === "out_of_place";
  assert.ok(refused(record(DATA, 4, utf8("x"))) && refused(record(DATA, 6, utf8("x"))) && refused(record(SNAPSHOT, 4, utf8("s"))));
  assert.ok(refused({ ...record(DATA, 5, utf8("x")), epoch: 2n }));
  acceptor.take(record(GAP, 5, Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 9)));
  assert.equal(acceptor.take(record(SNAPSHOT, 9, utf8("a"), 0, 2)), undefined);
  assert.ok(refused(record(DATA, 9, utf8("x"))) && refused(record(SNAPSHOT, 9, utf8("b"), 0, 2)));
  assert.equal(text(acceptor.take(record(SNAPSHOT, 9, utf8("b"), 1, 2))?.bytes ?? utf8("")), "ab");
  assert.ok(refused(record(SNAPSHOT, 9, utf8("s"))), "nobody asked for another");
  acceptor.take(record(DATA, 9, utf8("abc")));
  assert.ok(refused(record(DATA, 9, utf8("abc"))), "a repetition");
  acceptor.take(record(GAP, 12, Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 20)));
  assert.equal(text(acceptor.take(record(SNAPSHOT, 20, utf8("later")))?.bytes ?? utf8("")), "later");
  assert.equal(acceptor.next, 20);
});

/** A thousand changes of what is genuine: each is refused with a reason of ours, and nothing else happens. */
function hostile(genuine: Uint8Array, read: (bytes: Uint8Array) => unknown, mayPass = false): void {
  let state = 4711;
  const dice = (below: number) => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) % Math.max(1, below);
  for (let i = 0; i < 1000; i++) {
    let bytes: Uint8Array = genuine.slice();
    const at = dice(bytes.length);
    const kind = dice(4);
    if (kind === 0) bytes = bytes.slice(0, at);
    else if (kind === 1) bytes = concat(bytes, bytes.slice(at));
    else if (kind === 2) bytes.fill(255, at, at + 8);
    else bytes[at] = (bytes[at] ?? 0) ^ (1 + dice(255));
    const outcome = reason(() => read(bytes));
    if (outcome === "none" && bytesToHex(bytes) !== bytesToHex(genuine)) assert.ok(mayPass, bytesToHex(bytes));
  }
}

test("hostile bytes are refused with a reason", () => {
  const { session } = opened();
  const keys = new RecordKeys(hexToBytes(vectors.sealed.transport_key));
  hostile(hexToBytes(vectors.sealed.frame), parseFrame, true);
  hostile(hexToBytes(vectors.sealed.box), parseBox, true);
  hostile(hexToBytes(vectors.sealed.record), (bytes) => keys.open(5, bytes));
  hostile(hexToBytes(vectors.session.answered), (bytes) => session.open(bytes));
  assert.deepEqual(session.open(hexToBytes(vectors.session.answered)), { api: "welcome" }, "and the session goes on");
  const code = { secret: hexToBytes(vectors.pairing.secret) };
  hostile(new Uint8Array(200).fill(9), (bytes) => beginPairing(phone, code, "p", all(1)).answer(bytes));
});
