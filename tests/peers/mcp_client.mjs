// mcp_client.mjs COMMAND ARGS...: the official SDK against a stdio server.
// Standard input: a call a line, as JSON ["tool", {arguments}]. Prints the
// server's name, its tools, then what each call gave: [tool, isError, text,
// note?], or ["error", code, message].
import { createInterface } from "node:readline";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";

const [command, ...args] = process.argv.slice(2);
const client = new Client({ name: "rankfs-test", version: "1.0.0" });
await client.connect(new StdioClientTransport({ command, args }));

const say = (x) => console.log(JSON.stringify(x));

say(client.getServerVersion().name);
say((await client.listTools()).tools.map((t) => t.name).sort());
for await (const line of createInterface({ input: process.stdin })) {
  const [name, args_] = JSON.parse(line);
  try {
    const r = await client.callTool({ name, arguments: args_ });
    say([name, r.isError === true, ...r.content.map((c) => c.text)]);
  } catch (e) {
    say(["error", e.code, e.message]);
  }
}
await client.close();
