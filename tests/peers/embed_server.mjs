// SPDX-License-Identifier: MIT
// An embedding server around the real libllama: OpenAI's /v1/embeddings and
// Ollama's /api/embed, with faults on demand.
//
//   node embed_server.mjs PORT_FILE MODEL_FILE
//
// The port is written to PORT_FILE once requests are answered. A POST to
// /fault sets what the next requests meet: {"kind": K, "count": N}.
// GET /seen tells how many texts were embedded.
import { createServer } from "node:http";
import { existsSync, renameSync, writeFileSync } from "node:fs";
import { getLlama } from "node-llama-cpp";
import { DIM, writeModel } from "./model.mjs";

const [portFile, modelFile] = process.argv.slice(2);
if (!existsSync(modelFile)) writeModel(modelFile);
const llama = await getLlama({ build: "never", gpu: false, skipDownload: true,
  logLevel: "error" });
const model = await llama.loadModel({ modelPath: modelFile });
const context = await model.createEmbeddingContext({ threads: 1 });

let fault = { kind: "none", count: 0 };
const seen = { texts: 0, requests: 0, faults: 0, keys: {}, largest: 0 };

function body(req) {
  return new Promise((resolve) => {
    const parts = [];
    req.on("data", (p) => parts.push(p));
    req.on("end", () => resolve(Buffer.concat(parts).toString()));
  });
}

async function embed(texts) {
  const out = [];
  for (const t of texts) {
    const e = await context.getEmbeddingFor(t.slice(0, 400));
    const n = Math.hypot(...e.vector) || 1;
    out.push(e.vector.map((x) => x / n));
  }
  seen.texts += texts.length;
  seen.largest = Math.max(seen.largest, texts.length);
  return out;
}

function send(res, status, value, headers = {}) {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  res.writeHead(status, { "Content-Type": "application/json", ...headers });
  res.end(text);
}

const base64 = (v) =>
  Buffer.from(Float32Array.from(v).buffer).toString("base64");

function answer(path, request, vectors) {
  if (path === "/api/embed") return { model: request.model, embeddings: vectors };
  const pack = request.encoding_format === "base64" ? base64 : (v) => v;
  return { object: "list", model: request.model,
    data: vectors.map((v, index) => ({ object: "embedding", index,
      embedding: pack(v) })) };
}

// Each fault ends the request by itself, or changes the answer and goes on.
const FAULTS = {
  429: (res) => send(res, 429, { error: { message: "slow down" } },
    { "Retry-After": "1" }),
  500: (res) => send(res, 500, { error: "boom" }),
  401: (res) => send(res, 401, { error: { message: "invalid key" } }),
  reset: (res) => res.socket.destroy(),
  truncated: (res, a) => {
    const text = JSON.stringify(a);
    res.writeHead(200, { "Content-Length": text.length });
    res.write(text.slice(0, text.length / 2));
    setTimeout(() => res.socket.destroy(), 20);
  },
  slow: (res, a) => setTimeout(() => send(res, 200, a), 4000),
  garbage: (res) => send(res, 200, "]]not json["),
  count: (res, a) => {
    (a.data ?? a.embeddings).pop();
    send(res, 200, a);
  },
  dimension: (res, a) => {
    const list = a.data ?? a.embeddings;
    const short = list.length - 1;
    if (a.data) list[short].embedding = base64([1, 2, 3]);
    else list[short] = [1, 2, 3];
    send(res, 200, a);
  },
  nan: (res, a) => {
    if (a.data) a.data[0].embedding = base64(new Array(DIM).fill(NaN));
    else a.embeddings[0] = new Array(DIM).fill(null);
    send(res, 200, a);
  },
  shuffled: (res, a) => {
    (a.data ?? []).reverse();
    send(res, 200, a);
  },
};

async function handle(req, res) {
  const text = await body(req);
  if (req.url === "/seen") return send(res, 200, seen);
  if (req.url === "/fault") {
    fault = JSON.parse(text);
    return send(res, 200, fault);
  }
  const request = JSON.parse(text);
  const texts = [request.input].flat();
  seen.requests++;
  seen.keys[req.headers.authorization ?? "none"] = true;
  if (texts.some((t) => t === ""))
    return send(res, 400, { error: "empty text" });
  if (fault.kind === "large" && texts.length > 2) {
    seen.faults++;
    return send(res, 413, { error: "input is too large to process" });
  }
  if (fault.kind === "long" && texts.some((t) => t.length > 300)) {
    seen.faults++;
    return send(res, 500, { error: { message: "input is too large to process. increase the physical batch size" } });
  }
  const a = answer(req.url, request, await embed(texts));
  if (FAULTS[fault.kind] && fault.count > 0) {
    fault.count--;
    seen.faults++;
    return FAULTS[fault.kind](res, a);
  }
  send(res, 200, a);
}

const server = createServer((req, res) =>
  handle(req, res).catch((e) => send(res, 500, { error: String(e) })));
server.listen(0, "127.0.0.1", () => {
  writeFileSync(portFile + ".tmp", String(server.address().port));
  renameSync(portFile + ".tmp", portFile);
});
