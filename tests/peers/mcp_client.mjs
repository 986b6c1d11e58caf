// mcp_client.mjs COMMAND ARGS...: the official SDK against a stdio server.
// Prints what each step gave, one JSON value a line.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";

const [command, ...args] = process.argv.slice(2);
const client = new Client({ name: "rankfs-test", version: "1.0.0" });
await client.connect(new StdioClientTransport({ command, args }));

const say = (x) => console.log(JSON.stringify(x));
const call = async (name, args_) => {
  const r = await client.callTool({ name, arguments: args_ });
  say([name, r.isError === true, r.content[0].text]);
};

say(client.getServerVersion().name);
say((await client.listTools()).tools.map((t) => t.name).sort());
await call("search", { query: "rotate the keys", n: 3 });
await call("remember", { question: "How do I rotate the keys?", text: "Run keyctl rotate." });
await call("recall", { question: "how to rotate keys" });
await call("recall", { question: "making pancakes" });
await call("list", {});
await call("read", { path: "d/a.md", line: 2, lines: 1 });
await call("read", { path: "../../etc/passwd" });
await call("read", { path: "missing.md" });
try {
  await client.callTool({ name: "nonsense", arguments: {} });
  say("no error");
} catch (e) {
  say(["error", e.code]);
}
await client.close();
