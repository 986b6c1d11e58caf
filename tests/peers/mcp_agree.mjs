// mcp_agree.mjs COMMAND ARGS...: do `read` and `search` of a server agree?
// Standard input: a query a line. Each of the first ten hits is read by its
// path and its lines, and compared with its excerpt; copies must be readable.
// Prints what differs, then the counts; fails if something did.
import { createInterface } from "node:readline";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";

const [command, ...args] = process.argv.slice(2);
const client = new Client({ name: "rankfs-test", version: "1.0.0" });
await client.connect(new StdioClientTransport({ command, args }));

const call = async (name, args_) => {
  const r = await client.callTool({ name, arguments: args_ });
  return { failed: r.isError === true, text: r.content[0].text, note: r.content[1]?.text ?? "" };
};

// Excerpts have no control characters, no runs of blanks, and begin behind the
// form feed that begins a page.
const plain = (line) => line.replace(/^\f/, "").replace(/[\x00-\x08\x0b-\x1f\x7f]/g, " ").replace(/ +/g, " ").trimEnd();
// Of a line that is long, windows are shown, with "…" where it is cut; one that
// is cut into chunks begins anywhere in the line that the first one shows.
const lineAgrees = (shown, read, isFirst) => {
  const all = plain(read);
  if (plain(shown) === all) return true;
  const pieces = plain(shown).split("…").map((p) => p.trim()).filter(Boolean);
  let from = 0;
  for (const piece of pieces) {
    const at = all.indexOf(piece, from);
    if (at < 0) return false;
    from = at + piece.length;
  }
  return shown.includes("…") || (isFirst && read.length > 1000);
};

// All lines of a range, page by page.
const readLines = async (path, first, last) => {
  let text = "", next = { line: first };
  for (;;) {
    const r = await call("read", { path, ...next, lines: last - next.line + 1 });
    if (r.failed) return r;
    text += r.text;
    const go = /Go on with line:(\d+)(?: offset:(\d+))?/.exec(r.note);
    if (!go || +go[1] > last) return { text };
    next = { line: +go[1], ...(go[2] && { offset: +go[2] }) };
  }
};

const count = { queries: 0, hits: 0, copies: 0, differ: 0 };
const differs = (what) => {
  count.differ++;
  console.log(what);
};

const checkHit = async (query, hit) => {
  const where = `${query}: ${hit.path}:${hit.line}: [${hit.line_start}-${hit.line_end}]`;
  const got = await readLines(hit.path, hit.line_start, hit.line_end);
  if (got.failed) return differs(`${where} ${got.text}`);
  const lines = got.text.replace(/\n$/, "").split("\n");
  const shown = hit.excerpt.replace(/\n$/, "").split("\n");
  const at = hit.excerpt_line - hit.line_start;
  if (lines.length !== hit.line_end - hit.line_start + 1) return differs(`${where} has ${lines.length} lines`);
  shown.forEach((s, i) => {
    const read = lines[at + i] ?? "\0";
    if (!lineAgrees(s, read, i === 0)) differs(`${where} line ${hit.excerpt_line + i}: ${JSON.stringify([s, read.slice(0, 500)])}`);
  });
  for (const path of hit.copies ?? []) {
    count.copies++;
    const copy = await call("read", { path, lines: 1 });
    if (copy.failed) differs(`${where} copy ${copy.text}`);
  }
};

for await (const query of createInterface({ input: process.stdin })) {
  const answer = await call("search", { query: `${query} as:json`, n: 10 });
  count.queries++;
  if (answer.failed) {
    differs(`${query}: ${answer.text}`);
    continue;
  }
  for (const hit of JSON.parse(answer.text).hits) {
    count.hits++;
    await checkHit(query, hit);
  }
}
console.log(JSON.stringify(count));
await client.close();
process.exit(count.differ ? 1 : 0);
