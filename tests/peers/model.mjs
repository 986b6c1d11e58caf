// SPDX-License-Identifier: MIT
// A language model whose meaning is known: a one-layer BERT as a GGUF file
// (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md), written byte
// for byte the same each time. Attention and feed-forward weights are zero,
// so a text's embedding is the mean of its tokens'; words of one cluster share
// a vector but for some noise.
import { writeFileSync } from "node:fs";

export const DIM = 64;
const FF = 64;
const CONTEXT = 256;
const CLUSTERS = [
  ["automobile", "car", "vehicle", "truck"],
  ["error", "failure", "fault", "crash"],
  ["database", "storage", "archive"],
  ["journal", "ledger", "diary"],
  ["physician", "doctor", "surgeon"],
  ["kitchen", "cook", "recipe"],
  ["ocean", "sea", "harbour"],
  ["purple", "violet", "lilac"],
];

function random(seed) {
  let s = seed >>> 0;
  return () => {
    s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
    return s / 2 ** 31 - 1;
  };
}

function vocabulary() {
  const words = [];
  const noise = random(7);
  CLUSTERS.forEach((cluster, c) => {
    const base = Array.from({ length: DIM }, random(1000 + c));
    for (const w of cluster)
      words.push(["\u2581" + w, base.map((x) => 3 * (x + 0.15 * noise()))]);
  });
  // anything else is spelt in letters, which say little
  for (const c of "abcdefghijklmnopqrstuvwxyz0123456789")
    for (const p of ["\u2581", ""])
      words.push([p + c, Array.from({ length: DIM }, () => 0.3 * noise())]);
  const special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
  const zero = Array.from({ length: DIM }, () => 0);
  return special.map((s) => [s, zero]).concat(words);
}

class Writer {
  constructor() { this.parts = []; this.n = 0; }
  raw(b) { this.parts.push(b); this.n += b.length; }
  num(bytes, fill) { const b = Buffer.alloc(bytes); fill(b); this.raw(b); }
  u32(v) { this.num(4, (b) => b.writeUInt32LE(v)); }
  u64(v) { this.num(8, (b) => b.writeBigUInt64LE(BigInt(v))); }
  str(s) { const b = Buffer.from(s); this.u64(b.length); this.raw(b); }
  align(to) { if (this.n % to) this.raw(Buffer.alloc(to - (this.n % to))); }
}

const TYPES = {
  u32: [4, (w, v) => w.u32(v)],
  f32: [6, (w, v) => w.num(4, (b) => b.writeFloatLE(v))],
  i32: [5, (w, v) => w.num(4, (b) => b.writeInt32LE(v))],
  bool: [7, (w, v) => w.num(1, (b) => b.writeUInt8(v ? 1 : 0))],
  str: [8, (w, v) => w.str(v)],
};

function putValue(w, [type, v]) {
  const [id, put] = TYPES[type];
  if (Array.isArray(v)) {
    w.u32(9);
    w.u32(id);
    w.u64(v.length);
    for (const x of v) put(w, x);
  } else {
    w.u32(id);
    put(w, v);
  }
}

function tensors(vocab) {
  const zeros = (n) => new Float32Array(n);
  const ones = (n) => new Float32Array(n).fill(1);
  const list = [
    ["token_embd.weight", [DIM, vocab.length],
      Float32Array.from(vocab.flatMap(([, v]) => v))],
    ["token_types.weight", [DIM, 2], zeros(2 * DIM)],
    ["position_embd.weight", [DIM, CONTEXT], zeros(CONTEXT * DIM)],
    ["token_embd_norm.weight", [DIM], ones(DIM)],
    ["token_embd_norm.bias", [DIM], zeros(DIM)],
  ];
  for (const n of ["attn_q", "attn_k", "attn_v", "attn_output"])
    list.push([`blk.0.${n}.weight`, [DIM, DIM], zeros(DIM * DIM)],
      [`blk.0.${n}.bias`, [DIM], zeros(DIM)]);
  for (const n of ["attn_output_norm", "layer_output_norm"])
    list.push([`blk.0.${n}.weight`, [DIM], ones(DIM)],
      [`blk.0.${n}.bias`, [DIM], zeros(DIM)]);
  list.push(["blk.0.ffn_up.weight", [DIM, FF], zeros(DIM * FF)],
    ["blk.0.ffn_up.bias", [FF], zeros(FF)],
    ["blk.0.ffn_down.weight", [FF, DIM], zeros(DIM * FF)],
    ["blk.0.ffn_down.bias", [DIM], zeros(DIM)]);
  return list;
}

export function writeModel(path) {
  const vocab = vocabulary();
  const keys = {
    "general.architecture": ["str", "bert"],
    "general.name": ["str", "clusters"],
    "general.alignment": ["u32", 32],
    "bert.block_count": ["u32", 1],
    "bert.context_length": ["u32", CONTEXT],
    "bert.embedding_length": ["u32", DIM],
    "bert.feed_forward_length": ["u32", FF],
    "bert.attention.head_count": ["u32", 2],
    "bert.attention.layer_norm_epsilon": ["f32", 1e-12],
    "bert.attention.causal": ["bool", false],
    "bert.pooling_type": ["u32", 1],
    "tokenizer.ggml.model": ["str", "bert"],
    "tokenizer.ggml.token_type_count": ["u32", 2],
    "tokenizer.ggml.tokens": ["str", vocab.map(([s]) => s)],
    "tokenizer.ggml.token_type": ["i32", vocab.map((_, i) => (i < 5 ? 3 : 1))],
    "tokenizer.ggml.scores": ["f32", vocab.map(() => 0)],
    "tokenizer.ggml.padding_token_id": ["u32", 0],
    "tokenizer.ggml.unknown_token_id": ["u32", 1],
    "tokenizer.ggml.cls_token_id": ["u32", 2],
    "tokenizer.ggml.seperator_token_id": ["u32", 3],
    "tokenizer.ggml.mask_token_id": ["u32", 4],
  };
  const list = tensors(vocab);
  const w = new Writer();
  w.raw(Buffer.from("GGUF"));
  w.u32(3);
  w.u64(list.length);
  w.u64(Object.keys(keys).length);
  for (const [k, v] of Object.entries(keys)) {
    w.str(k);
    putValue(w, v);
  }
  let off = 0;
  for (const [name, shape, data] of list) {
    w.str(name);
    w.u32(shape.length);
    for (const d of shape) w.u64(d);
    w.u32(0);
    w.u64(off);
    off += Math.ceil(data.byteLength / 32) * 32;
  }
  for (const [, , data] of list) {
    w.align(32);
    w.raw(Buffer.from(data.buffer, data.byteOffset, data.byteLength));
  }
  w.align(32);
  writeFileSync(path, Buffer.concat(w.parts));
}
