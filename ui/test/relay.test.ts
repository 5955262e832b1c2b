import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { Handshake, keyPair, KK, XXpsk3, type Pattern } from "#client/relay/noise.ts";
import published from "../../crates/relay/tests/fixtures/noise.json";

interface Vector {
  source: string;
  protocol_name: string;
  init_prologue: string;
  init_psks?: string[];
  init_static?: string;
  init_ephemeral: string;
  init_remote_static?: string;
  resp_static?: string;
  resp_ephemeral: string;
  resp_remote_static?: string;
  handshake_hash?: string;
  messages: { payload: string; ciphertext: string }[];
}

// Patterns that the product does not use are checked too: they exercise the same few lines in another order.
const patterns: Record<string, Pattern> = {
  XXpsk3,
  KK,
  XX: { name: "XX", known: false, messages: [["e"], ["e", "ee", "s", "es"], ["s", "se"]] },
  NN: { name: "NN", known: false, messages: [["e"], ["e", "ee"]] },
};

const hex = (text: string | undefined) => (text === undefined ? undefined : hexToBytes(text));

function ends(vector: Vector, pattern: Pattern): [Handshake, Handshake] {
  const end = (initiator: boolean, secret?: string, ephemeral = "", peer?: string) =>
    new Handshake({
      pattern,
      initiator,
      keys: secret === undefined ? undefined : keyPair(hexToBytes(secret)),
      peer: hex(peer),
      psk: hex(vector.init_psks?.[0]),
      prologue: hexToBytes(vector.init_prologue),
      random: () => hexToBytes(ephemeral),
    });
  return [
    end(true, vector.init_static, vector.init_ephemeral, vector.init_remote_static),
    end(false, vector.resp_static, vector.resp_ephemeral, vector.resp_remote_static),
  ];
}

for (const vector of published.vectors as Vector[]) {
  const pattern = patterns[vector.protocol_name.split("_")[1] ?? ""];
  if (!pattern) continue;
  test(`${vector.protocol_name} of ${vector.source}`, () => {
    let [ours, theirs] = ends(vector, pattern);
    for (const message of vector.messages.slice(0, pattern.messages.length)) {
      const sent = ours.write(hexToBytes(message.payload));
      assert.equal(bytesToHex(sent), message.ciphertext);
      assert.equal(bytesToHex(theirs.read(sent)), message.payload);
      [ours, theirs] = [theirs, ours];
    }
    const [next, other] = [ours.finish(), theirs.finish()];
    assert.deepEqual(next.hash, other.hash);
    if (vector.handshake_hash !== undefined) assert.equal(bytesToHex(next.hash), vector.handshake_hash);
    vector.messages.slice(pattern.messages.length).forEach((message, i) => {
      const [from, to] = i % 2 === 0 ? [next, other] : [other, next];
      const number = Math.floor(i / 2);
      const sent = from.send.seal(number, new Uint8Array(0), hexToBytes(message.payload));
      assert.equal(bytesToHex(sent), message.ciphertext);
      assert.equal(bytesToHex(to.receive.open(number, new Uint8Array(0), sent)), message.payload);
    });
  });
}
