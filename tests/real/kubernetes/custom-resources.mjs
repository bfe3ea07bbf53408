// Judges custom resources by the models that are published of them: the types, which leave no place for a field that is
// not known, and the validators, which know required fields, words, patterns and ranges.
//
// node custom-resources.mjs MODULES DIRECTORY <list.json; one line on standard output for each fault.
import { execFileSync } from "node:child_process";
import { readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const PACKAGES = {
  "cert-manager.io": "cert-manager",
  "trust.cert-manager.io": "cert-manager",
  "trust-manager.io": "cert-manager",
  "external-secrets.io": "external-secrets",
  "gateway.networking.k8s.io": "gateway-api",
  "traefik.io": "traefik",
};

const [modules, directory] = process.argv.slice(2);
symlinkSync(modules, join(directory, "node_modules"));
const say = (line) => process.stdout.write(`${line}\n`);
const source = [];
for (const [index, resource] of JSON.parse(readFileSync(0, "utf8")).entries()) {
  const { apiVersion, kind, metadata } = resource;
  const name = `${kind}/${metadata.name}`;
  const published = PACKAGES[apiVersion.split("/")[0]];
  if (!published) {
    say(`${name}: nobody publishes ${apiVersion} here`);
    continue;
  }
  const module = `@kubernetes-models/${published}/${apiVersion}/${kind}`;
  let model;
  try {
    model = (await import(pathToFileURL(join(modules, `${module}.js`))))[kind];
  } catch (error) {
    say(`${name}: ${apiVersion} has no ${kind}: ${error.message}`);
    continue;
  }
  try {
    new model(resource).validate();
  } catch (error) {
    say(`${name}: ${error.message}`);
  }
  // Of several lines, so that the place of a fault says the field.
  source.push(`import type { I${kind} as Kind${index} } from "${module}";`);
  source.push(`export const resource${index}: Kind${index} = ${JSON.stringify(resource, null, 1)};`);
}
writeFileSync(join(directory, "resources.ts"), source.join("\n"));
const options = ["--noEmit", "--strict", "--skipLibCheck", "--pretty", "false"];
options.push("--module", "nodenext", "--moduleResolution", "nodenext", "--target", "es2022");
try {
  const compiler = join(modules, "typescript/bin/tsc");
  execFileSync(process.execPath, [compiler, ...options, "resources.ts"], { cwd: directory, encoding: "utf8" });
} catch (error) {
  for (const line of error.stdout.split("\n").filter(Boolean)) say(line);
}
