"""All mutants of a tree in one build: each stands behind a switch, and the environment turns on one of them.

cargo-mutants says what the mutants are. A build for each of eight thousand takes days, and a run of the tests that reach one takes a part of a
second. So the sources are rewritten: `a < b` becomes a choice between `a < b` and its mutants, a function returns another
value first, an arm gets one more guard. What does not compile that way is left out and counted.
"""

import collections
import itertools
import json
import pathlib
import re
import subprocess

import tree_sitter
import tree_sitter_rust

SWITCH = """
/// Which mutant is on, and a record of those that were reached.
pub mod mutant {
    use std::io::Write as _;
    use std::sync::{Mutex, OnceLock, atomic::{AtomicBool, Ordering}};
    const COUNT: usize = %d;
    static SEEN: [AtomicBool; COUNT] = [const { AtomicBool::new(false) }; COUNT];
    static SET: OnceLock<(u32, Option<Mutex<std::fs::File>>)> = OnceLock::new();
    pub fn on(number: u32) -> bool {
        let (active, record) = SET.get_or_init(|| {
            let active = std::env::var("MUTANT").ok().and_then(|text| text.parse().ok()).unwrap_or(u32::MAX);
            let record = std::env::var_os("MUTANTS_REACHED").map(|path| Mutex::new(std::fs::File::create(path).unwrap()));
            (active, record)
        });
        if let Some(file) = record && !SEEN[number as usize].swap(true, Ordering::Relaxed) {
            let _ = writeln!(file.lock().unwrap(), "{number}");
        }
        *active == number
    }
}
"""
ALLOWED = "#![allow(warnings, arithmetic_overflow, unconditional_panic, overflowing_literals, unconditional_recursion)]\n"
ROUNDS_MAX = 25
COMPARED = ("==", "!=", "<", ">", "<=", ">=")


class File:
    """A source file with the mutants that are to be built into it."""

    def __init__(self, source, mutants, constants=frozenset()):
        """`constants` names functions that must stay `const`, because a constant is made by them."""
        self.constants = constants
        self.source = source.encode()
        starts, lines = [0], source.split("\n")
        for line in lines:
            starts.append(starts[-1] + len(line.encode()) + 1)
        self.at, self.bodies = collections.defaultdict(list), collections.defaultdict(list)
        root = tree_sitter.Parser(tree_sitter.Language(tree_sitter_rust.language())).parse(self.source).root_node
        for one in mutants:
            place = one["span"]["start"]
            byte = starts[place["line"] - 1] + len(lines[place["line"] - 1][:place["column"] - 1].encode())
            if one["genre"] == "FnValue":
                self.bodies[self.body(root, byte)].append(one)
            else:
                self.at[(one["genre"], byte)].append(one)
        self.placed = set()
        self.text = self.emit(root)

    def body(self, root, byte):
        """Where the body of the function around this place begins."""
        node, found = root.descendant_for_byte_range(byte, byte), None
        while node and not found:
            found = node.child_by_field_name("body") if node.type == "function_item" else None
            node = node.parent
        return found.start_byte if found else None

    def taken(self, genre, byte):
        found = self.at.get((genre, byte), [])
        self.placed.update(one["number"] for one in found)
        return found

    def emit(self, node):
        """The text of a node with the mutants in it."""
        special = {"binary_expression": self.binary, "compound_assignment_expr": self.assignment, "unary_expression": self.unary,
                   "match_arm": self.arm, "field_initializer": self.field, "shorthand_field_initializer": self.field}.get(node.type)
        text = special(node) if special else None
        return self.plain(node) if text is None else text

    def plain(self, node):
        """The text of a node that has no mutant of its own."""
        if node.type in ("macro_invocation", "attribute_item", "array_type"):
            return self.raw(node.start_byte, node.end_byte)
        if node.type in ("const_item", "static_item") or self.constant(node):
            return self.closures(node)
        if node.type == "function_modifiers" and node.parent.type == "function_item":
            return node.text.decode().replace("const", "")
        parts, at = [], node.start_byte
        for child in node.children:
            parts += [self.raw(at, child.start_byte), self.emit(child)]
            at = child.end_byte
        parts.append(self.raw(at, node.end_byte))
        text = "".join(parts)
        if node.type == "block" and node.start_byte in self.bodies:
            returns = "".join(f" if crate::mutant::on({one['number']}) {{ return {one['replacement']}; }}" for one in self.bodies[node.start_byte])
            self.placed.update(one["number"] for one in self.bodies[node.start_byte])
            text = "{" + returns + text[1:]
        return text

    def constant(self, node):
        """Whether this is a function that constants are made by."""
        return node.type == "function_item" and node.child_by_field_name("name").text.decode() in self.constants

    def closures(self, node):
        """The text of what is computed at compile time: no switch can stand there but in a closure."""
        if node.type == "closure_expression":
            return self.plain(node)
        parts, at = [], node.start_byte
        for child in node.children:
            parts += [self.raw(at, child.start_byte), self.closures(child)]
            at = child.end_byte
        return "".join([*parts, self.raw(at, node.end_byte)])

    def raw(self, start, end):
        return self.source[start:end].decode()

    def binary(self, node):
        sign = node.child_by_field_name("operator")
        mutants = self.taken("BinaryOperator", sign.start_byte)
        if not mutants:
            return None
        left, right, sign = self.emit(node.child_by_field_name("left")), self.emit(node.child_by_field_name("right")), sign.type
        if sign in ("&&", "||"):
            return f"(match {left} {{ l => {choice(mutants, lambda found: f'l {found} {right}', sign)} }})"
        if sign in COMPARED:
            return f"(match (&({left}), &({right})) {{ (l, r) => {choice(mutants, lambda found: f'*l {found} *r', sign)} }})"
        return f"(match ({left}, {right}) {{ (l, r) => {choice(mutants, lambda found: f'l {found} r', sign)} }})"

    def assignment(self, node):
        sign = node.child_by_field_name("operator")
        mutants = self.taken("BinaryOperator", sign.start_byte)
        if not mutants:
            return None
        left, right = self.emit(node.child_by_field_name("left")), self.emit(node.child_by_field_name("right"))
        return f"(match {right} {{ r => {choice(mutants, lambda found: f'{left} {found} r', sign.type)} }})"

    def unary(self, node):
        mutants = self.taken("UnaryOperator", node.start_byte)
        if not mutants:
            return None
        inner, sign = self.emit(node.children[-1]), node.children[0].type
        return f"(match {inner} {{ x => {choice(mutants, lambda found: f'{found}x', sign)} }})"

    def arm(self, node):
        gone = self.taken("MatchArm", node.start_byte)
        pattern, value = node.child_by_field_name("pattern"), node.child_by_field_name("value")
        guard = pattern.child_by_field_name("condition")
        swapped = self.taken("MatchArmGuard", guard.start_byte) if guard else []
        if not gone and not swapped:
            return None
        end = guard.prev_sibling.start_byte if guard else pattern.end_byte
        asks = [f"!crate::mutant::on({one['number']})" for one in gone]
        if guard:
            always = "".join(f"crate::mutant::on({one['number']}) || " for one in swapped if one["replacement"] == "true")
            never = "".join(f"!crate::mutant::on({one['number']}) && " for one in swapped if one["replacement"] == "false")
            asks.append(f"({always}({never}({self.emit(guard)})))")
        return (f"{self.raw(node.start_byte, end)} if {' && '.join(asks)} "
                + self.raw(pattern.end_byte, value.start_byte) + self.emit(value) + self.raw(value.end_byte, node.end_byte))

    def field(self, node):
        mutants = self.taken("StructField", node.start_byte)
        base = next((child for child in node.parent.children if child.type == "base_field_initializer"), None)
        if not mutants or not base:
            return None
        name = node.child_by_field_name("field") or node.child(node.child_count - 1)
        value = node.child_by_field_name("value")
        name = name.text.decode()
        return f"{name}: if crate::mutant::on({mutants[0]['number']}) {{ ({self.raw(base.start_byte + 2, base.end_byte)}).{name} }} else {{ {self.emit(value) if value else name} }}"


def choice(mutants, form, sign):
    """The mutant that is on, else the original."""
    return "".join(f"if crate::mutant::on({one['number']}) {{ {form(one['replacement'])} }} else " for one in mutants) + f"{{ {form(sign)} }}"


def rewrite(tree, mutants, constants):
    """Build the mutants into the sources of a tree; returns the numbers of those that found their place."""
    placed, by_file = set(), collections.defaultdict(list)
    for one in mutants:
        by_file[one["file"]].append(one)
    for path in sorted((tree / "src").rglob("*.rs")):
        name = path.relative_to(tree).as_posix()
        file = File(path.read_text(), by_file.get(name, []), constants)
        path.write_text(file.text)
        placed |= file.placed
    lib = pathlib.Path(tree, "src", "lib.rs")
    lib.write_text(ALLOWED + lib.read_text() + SWITCH % (max(one["number"] for one in mutants) + 1))
    return placed


def built(copy, mutants, environment, memory):
    """Build the tests of a tree with as many mutants as compile; returns the tree, the program and the numbers of its mutants.

    `copy` makes the tree anew. Whatever an error of the compiler points at is taken out, and the build begins again; the file `memory` keeps what was
    taken out, by rank, so that the next call begins there.
    """
    known = json.loads(memory.read_text()) if memory.exists() else {"apart": [], "constant": []}
    apart, constants = set(known["apart"]), set(known["constant"])
    for _ in range(ROUNDS_MAX):
        tree = copy()
        wanted = {one["number"]: one for one in mutants if one["rank"] not in apart and not one["impl"]}
        placed = rewrite(tree, list(wanted.values()), constants)
        done = subprocess.run(["cargo", "test", "--offline", "--features", "cli", "--lib", "--no-run", "--message-format", "json"], cwd=tree,
                              text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment)
        messages = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        if done.returncode == 0:
            return tree, next(one["executable"] for one in messages if one.get("executable")), placed
        errors = [one["message"] for one in messages if one["reason"] == "compiler-message" and one["message"]["level"] == "error"]
        before, out = len(constants), set()
        for error in errors:
            code = (error["code"] or {}).get("code")
            named = re.search(r"`(?:[^`]*::)?(\w+)(?:::<[^`]*>)?`", error["message"])
            if code == "E0015" and named and named[1] != "on":
                constants.add(named[1])
            else:
                out |= blamed(tree, error, code)
        print(f"{len(placed):,} mutants: {len(errors)} errors, {len(out)} taken out, {len(constants)} functions stay const", flush=True)
        if not out & placed and len(constants) == before:
            raise SystemExit("the errors blame no mutant:\n" + "\n".join(error["rendered"] for error in errors[:5]))
        apart |= {wanted[number]["rank"] for number in out if number in wanted}
        memory.write_text(json.dumps({"apart": sorted(apart), "constant": sorted(constants)}))
    raise SystemExit(f"the mutants do not build after {ROUNDS_MAX} rounds")


def blamed(tree, error, code):
    """The numbers of the mutants that an error points at: the one whose choice is marked, else all on its lines, else all arms of its match."""
    out = set()
    for span in error["spans"]:
        if not span["is_primary"] or not (tree / span["file_name"]).is_file():
            continue
        text = (tree / span["file_name"]).read_text().splitlines()
        lines = text[span["line_start"] - 1:span["line_end"]]
        inside = re.search(r"mutant::on\((\d+)\) \{ [^{}]*$", lines[0][:span["column_start"] - 1])
        if code == "E0004":
            depth = indent(lines[0])
            rest = itertools.takewhile(lambda line: not line.strip() or indent(line) > depth, text[span["line_start"]:])
            out |= {int(number) for line in rest for number in re.findall(r" if !crate::mutant::on\((\d+)\)", line)}
        else:
            out |= {int(inside[1])} if inside else {int(number) for line in lines for number in re.findall(r"mutant::on\((\d+)\)", line)}
    return out


def indent(line):
    return len(line) - len(line.lstrip())
