// watch.mjs QUERY FILE: watch QUERY with chokidar, write FILE once it is
// watched, and say "changed" when the watcher does.
import chokidar from "chokidar";
import { writeFileSync } from "node:fs";

const [query, file] = process.argv.slice(2);
const watcher = chokidar.watch(query, { ignoreInitial: true });
const timer = setTimeout(() => {
  console.log("nothing");
  process.exit(1);
}, 15000);
watcher.on("ready", () => writeFileSync(file, "rotate the other keys\n"));
watcher.on("change", async () => {
  console.log("changed");
  clearTimeout(timer);
  await watcher.close();
});
