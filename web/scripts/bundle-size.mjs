// Prints what a reader downloads, in gzip bytes, and fails when the first page outgrows its bound.
import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

// First page: what index.html names. The bound is a ratchet; raise it only with a reason.
const first_page_kib_max = 260;

const size = (path) => gzipSync(readFileSync(path), { level: 9 }).length;
const html = readFileSync("dist/index.html", "utf8");
let first = size("dist/index.html");
let all = first;
for (const name of readdirSync("dist/assets").sort()) {
  // Fonts are compressed already; gzip of them is their size.
  const bytes = name.endsWith(".woff2")
    ? readFileSync(`dist/assets/${name}`).length
    : size(`dist/assets/${name}`);
  const named = html.includes(name);
  all += bytes;
  if (named) first += bytes;
  console.log(`${named ? "first" : "later"}  ${(bytes / 1024).toFixed(1).padStart(7)} KiB  ${name}`);
}
console.log(`first page ${(first / 1024).toFixed(1)} KiB, everything ${(all / 1024).toFixed(1)} KiB (gzip)`);
if (first > first_page_kib_max * 1024) {
  console.error(`first page is over ${first_page_kib_max} KiB`);
  process.exitCode = 1;
}
