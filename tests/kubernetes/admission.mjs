#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// admission.mjs [--write]: what the expressions of the admission policies answer to the samples in admission.json, by an
// evaluator of CEL other than the API server's. Run by hand, in a directory where `npm install @bufbuild/cel yaml` was run:
//   node TREE/tests/kubernetes/admission.mjs --write
// --write notes, in admission.json, the digest of what was evaluated: kubernetes.bats asks that it is that of the tree.
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const require = createRequire(`${process.cwd()}/`);
const { parse, plan, celEnv, isCelError } = require('@bufbuild/cel');
const yaml = require('yaml');

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const table = JSON.parse(readFileSync(here('admission.json')));

// As the API server hands them over: maps, lists, integers.
function value(json) {
  if (Array.isArray(json)) return json.map(value);
  if (json !== null && typeof json === 'object') return new Map(Object.entries(json).map(([k, v]) => [k, value(v)]));
  return Number.isInteger(json) ? BigInt(json) : json;
}

function evaluate(expression, bindings) {
  const answer = plan(celEnv(), parse(expression))(bindings);
  if (isCelError(answer)) throw answer;
  return answer;
}

// "" when the policy lets the request pass, "not asked" when it does not match, else the first message. An expression that
// fails refuses, as failurePolicy says.
function judge(spec, sample) {
  const bindings = Object.fromEntries(['object', 'oldObject', 'request', 'namespaceObject'].map((k) => [k, value(sample[k] ?? null)]));
  try {
    for (const c of spec.matchConditions ?? []) if (evaluate(c.expression, bindings) !== true) return 'not asked';
    const variables = new Map();
    bindings.variables = variables;
    for (const v of spec.variables ?? []) variables.set(v.name, evaluate(v.expression, bindings));
    for (const v of spec.validations)
      if (evaluate(v.expression, bindings) !== true) return v.messageExpression ? evaluate(v.messageExpression, bindings) : v.message;
    return '';
  } catch (e) {
    return `failed: ${e.message}`;
  }
}

const policies = {};
const hash = createHash('sha256');
for (const file of table.files) {
  const text = readFileSync(here(`../../deploy/kubernetes/admission/${file}`), 'utf8');
  hash.update(text);
  for (const d of yaml.parseAllDocuments(text).map((d) => d.toJS()))
    if (d.kind === 'ValidatingAdmissionPolicy') policies[d.metadata.name] = d.spec;
}
let wrong = 0;
for (const sample of table.samples) {
  const said = judge(policies[sample.policy], sample);
  const right = said === sample.says;
  wrong += right ? 0 : 1;
  console.log(`${right ? 'ok' : 'WRONG'}\t${sample.name}\t${said || 'passes'}`);
}
console.log(`${table.samples.length} samples, ${wrong} wrong`);
if (!wrong && process.argv[2] === '--write') {
  table.evaluated = hash.digest('hex');
  writeFileSync(here('admission.json'), `${JSON.stringify(table, null, 2)}\n`);
}
process.exit(wrong ? 1 : 0);
