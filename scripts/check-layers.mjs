// Holds the direction of imports: renderer -> shared, core; main, web, cli -> shared, core, main; shared -> core; core -> nothing.
// Prints each import that goes another way and ends with status 1 if there was any.
//
//   node scripts/check-layers.mjs [ROOT]
//
// A check of the text, not of the compiler: it also sees imports that are erased as types, which the rules are as much about.
import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative, resolve, sep } from 'node:path';

const root = resolve(process.argv[2] ?? join(import.meta.dirname, '..'));
const source = join(root, 'src');
const dependencies = new Set(
  Object.keys(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).dependencies ?? {}),
);

/**
 * What each part may import. `parts` are other parts of src/, `files` single files of parts that are otherwise closed, `packages`
 * the allowed ones (absent: every dependency in package.json).
 */
const RULES = {
  core: { parts: [], node: false, electron: false, packages: ['crc-32'] },
  // The vocabulary (names of generations, views and verdicts) is the one thing of core that the protocol's schemas are made of.
  shared: {
    parts: [],
    typesOf: ['core'],
    files: ['core/generation.ts', 'core/segment.ts'],
    node: false,
    electron: false,
    packages: ['zod'],
  },
  renderer: {
    parts: ['shared', 'core'],
    files: ['preload/api.ts'],
    node: false,
    electron: false,
    without: ['commander', 'env-paths', 'koffi', 'ws'],
  },
  preload: { parts: ['shared'], node: false, electron: true, packages: [] },
  main: { parts: ['shared', 'core'], node: true, electron: true },
  web: { parts: ['shared', 'core', 'main'], node: true, electron: false },
  cli: { parts: ['shared', 'core', 'main', 'web'], node: true, electron: false },
};

/** Tests and what only they use reach wherever they like; nothing of them is shipped. */
function isTestFile(path) {
  return /\.(test|fixture)\.tsx?$|-contract\.ts$|(^|\/)testing\//.test(path);
}

const IMPORT =
  /^\s*(?:import|export)\s+(type\s)?[^'";]*?\bfrom\s*['"]([^'"]+)['"]|^\s*import\s*['"]([^'"]+)['"]|\b(?:import|require)\(\s*['"]([^'"]+)['"]|\bnew URL\(\s*['"](\.[^'"]+)['"]\s*,\s*import\.meta\.url/gm;

function* importsOf(text) {
  // Comments may quote imports.
  const code = text
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '))
    .replace(/^\s*\/\/.*$/gm, '');
  for (const match of code.matchAll(IMPORT)) {
    const line = code.slice(0, match.index + match[0].length).split('\n').length;
    yield { specifier: match[2] ?? match[3] ?? match[4] ?? match[5], typeOnly: match[1] !== undefined, line };
  }
}

/** Why an import is not allowed, or null. */
function objection(file, part, { specifier, typeOnly }) {
  const rule = RULES[part];
  if (specifier.startsWith('.')) {
    const target = relative(source, resolve(source, dirname(file), specifier.replace(/[?#].*$/, '')))
      .split(sep)
      .join('/');
    // The version is written in one place.
    if (target === '../package.json' && rule.node) return null;
    if (target.startsWith('..')) return 'leads out of src/';
    if (isTestFile(target)) return 'imports what only tests use';
    const targetPart = target.split('/')[0];
    if (targetPart === part || rule.parts.includes(targetPart) || rule.files?.includes(target)) return null;
    if (typeOnly && rule.typesOf?.includes(targetPart)) return null;
    return `${part} must not import ${targetPart}`;
  }
  const name = specifier.startsWith('@') ? specifier.split('/').slice(0, 2).join('/') : specifier.split('/')[0];
  if (specifier.startsWith('node:') || builtinModules.includes(name)) {
    return rule.node ? null : `${part} must not import Node's ${specifier}`;
  }
  if (name === 'electron') {
    // In main only the files directly in it, the desktop door; engine and services serve every door.
    return rule.electron && file.split('/').length === 2 ? null : `${part} must not import electron here`;
  }
  if (!dependencies.has(name)) return `${name} is no dependency in package.json`;
  if ((rule.packages && !rule.packages.includes(name)) || rule.without?.includes(name))
    return `${part} must not import the package ${name}`;
  return null;
}

let files = 0;
let imports = 0;
const findings = [];
for (const entry of readdirSync(source, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !/\.tsx?$/.test(entry.name)) continue;
  const path = join(entry.parentPath ?? entry.path, entry.name);
  const file = relative(source, path).split(sep).join('/');
  const part = file.split('/')[0];
  if (isTestFile(file)) continue;
  if (!(part in RULES)) {
    findings.push(`src/${file}: src/${part} has no rule`);
    continue;
  }
  files += 1;
  for (const found of importsOf(readFileSync(path, 'utf8'))) {
    imports += 1;
    const reason = objection(file, part, found);
    if (reason !== null) findings.push(`src/${file}:${found.line}: '${found.specifier}': ${reason}`);
  }
}

for (const finding of findings) console.error(finding);
console.log(`layers: ${files} files, ${imports} imports, ${findings.length} against the direction`);
process.exitCode = findings.length === 0 ? 0 : 1;
