// Fails when src/api/schema.d.ts is not what openapi.json generates.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = mkdtempSync(join(tmpdir(), "precordia-schema-"));
const fresh = join(folder, "schema.d.ts");
try {
  execFileSync(process.execPath, [
    "node_modules/openapi-typescript/bin/cli.js",
    "openapi.json",
    "--default-non-nullable=false",
    "-o",
    fresh,
  ]);
  if (readFileSync(fresh, "utf8") !== readFileSync("src/api/schema.d.ts", "utf8")) {
    console.error("src/api/schema.d.ts is stale\nhint: run `npm run generate` and commit the result");
    process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
