//! The changes that the operators make of a script's syntax tree.

use tree_sitter::{Node, Parser, Tree};

use super::{Edit, Operator};

/// Options that are followed by a value of their own.
const WITH_VALUE: [&str; 5] = ["-r", "--group", "--locale", "--port", "--user"];
/// Programs whose status says nothing that matters, or that never end with a bad one.
const NO_STATUS: [&str; 13] = [
    ".",
    ":",
    "continue",
    "declare",
    "echo",
    "exec",
    "local",
    "mapfile",
    "printf",
    "read_user_vars",
    "return",
    "set",
    "true",
];
/// Kinds of nodes that are statements.
const STATEMENTS: [&str; 10] = [
    "case_statement",
    "command",
    "declaration_command",
    "for_statement",
    "if_statement",
    "list",
    "redirected_statement",
    "unset_command",
    "variable_assignment",
    "while_statement",
];
/// Kinds of nodes whose children are statements.
const BLOCKS: [&str; 6] = ["compound_statement", "do_group", "elif_clause", "else_clause", "if_statement", "program"];

/// A parser of shell scripts.
pub(super) fn parser() -> Option<Parser> {
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_bash::LANGUAGE.into()).ok()?;
    Some(parser)
}

/// Every change of every operator.
pub(super) fn edits(tree: &Tree, source: &str) -> Vec<Edit> {
    let mut finder = Finder { source, edits: Vec::new() };
    if source.starts_with("#!/usr/bin/env bash") {
        finder.replace(Operator::ChangeInterpreter, 0.."#!/usr/bin/env bash".len(), "#!/bin/sh");
    }
    finder.visit(tree.root_node(), false);
    finder.edits
}

struct Finder<'s> {
    source: &'s str,
    edits: Vec<Edit>,
}

impl<'s> Finder<'s> {
    fn text(&self, node: Node<'_>) -> &'s str {
        &self.source[node.byte_range()]
    }

    fn replace(&mut self, operator: Operator, span: std::ops::Range<usize>, replacement: impl Into<String>) {
        self.edits.push(Edit { operator, span, replacement: replacement.into() });
    }

    /// Visits a node and what is below it; `test` says that it is in `[[ ]]`, where nothing is split into words.
    fn visit(&mut self, node: Node<'_>, test: bool) {
        match node.kind() {
            "command" => self.command(node),
            "if_statement" | "elif_clause" | "while_statement" => self.condition(node),
            "unary_expression" | "binary_expression" if test => self.expression(node),
            "list" => self.connectives(node),
            "redirected_statement" => self.redirects(node),
            "declaration_command" => self.declaration(node),
            "expansion" => self.expansion(node),
            _ => {}
        }
        if BLOCKS.contains(&node.kind()) {
            self.block(node);
        }
        let below_test = test || node.kind() == "test_command";
        for child in children(node) {
            self.visit(child, below_test);
        }
    }

    /// Statements of a block: each taken out, or swapped with the next.
    fn block(&mut self, node: Node<'_>) {
        let condition = children(node).into_iter().position(|child| child.kind() == "then").unwrap_or(0);
        let statements: Vec<Node<'_>> =
            children(node).into_iter().skip(condition).filter(|child| STATEMENTS.contains(&child.kind())).collect();
        for statement in &statements {
            // What is local to a function without need, or not though it could be, is a matter of style.
            if !self.is_local(*statement) {
                self.replace(Operator::DeleteStatement, statement.byte_range(), ":");
            }
            let name = self.program(*statement);
            let counts = matches!(statement.kind(), "command" | "redirected_statement") && !NO_STATUS.contains(&name);
            if counts {
                self.replace(
                    Operator::SwallowStatus,
                    statement.byte_range(),
                    format!("{} || true", self.text(*statement)),
                );
                self.output(*statement, name);
            }
            if self.text(*statement) == "set -e" {
                self.replace(Operator::SetLocale, statement.byte_range(), "set -e\nexport LC_ALL=C");
            }
        }
        for pair in statements.windows(2) {
            let [first, second] = pair else { continue };
            if self.is_local(*first) || self.is_local(*second) {
                continue;
            }
            let between = &self.source[first.end_byte()..second.start_byte()];
            let swapped = format!("{}{between}{}", self.text(*second), self.text(*first));
            self.replace(Operator::SwapNeighbours, first.start_byte()..second.end_byte(), swapped);
        }
    }

    /// What becomes of the output of a program, whose status is lost in a pipe, and is not where it is held.
    fn output(&mut self, statement: Node<'_>, name: &str) {
        let text = self.text(statement);
        self.replace(Operator::PipeOutput, statement.byte_range(), format!("{text} | cat"));
        if name.contains('$') {
            let print = "printf '%s\\n' \"$__held\"";
            let held = format!("__held=$({text} 2>&1) || {{ __code=$?; {print}; (exit $__code); }}; {print}");
            self.replace(Operator::HoldOutput, statement.byte_range(), held);
        }
    }

    fn is_local(&self, node: Node<'_>) -> bool {
        self.text(node).starts_with("local ")
    }

    /// The name of the program that a statement runs.
    fn program(&self, node: Node<'_>) -> &'s str {
        let command =
            if node.kind() == "redirected_statement" { node.child_by_field_name("body").unwrap_or(node) } else { node };
        command.child_by_field_name("name").map_or("", |name| self.text(name))
    }

    fn command(&mut self, node: Node<'_>) {
        let name = self.program(node);
        let words: Vec<Node<'_>> = {
            let mut cursor = node.walk();
            node.children_by_field_name("argument", &mut cursor).collect()
        };
        match (name, self.text(node)) {
            ("exec", _) => {
                if let (Some(own), Some(first)) = (node.child_by_field_name("name"), words.first()) {
                    self.replace(Operator::DropExec, own.start_byte()..first.start_byte(), "");
                }
            }
            ("continue", _) => self.replace(Operator::ChangeControl, node.byte_range(), "break"),
            ("return", "return 0") => self.replace(Operator::ChangeControl, node.byte_range(), "return 1"),
            _ => {}
        }
        for (index, word) in words.iter().enumerate() {
            let text = self.text(*word);
            if word.kind() == "string" && text.contains('$') {
                self.replace(Operator::DropQuoting, word.byte_range(), text.trim_matches('"'));
                if text == "\"$@\"" {
                    self.replace(Operator::JoinWords, word.byte_range(), "\"$*\"");
                }
            } else if text.starts_with('-')
                && !["echo", "printf", "set", "local", "declare"].contains(&name)
                && text != "--"
            {
                let end = if WITH_VALUE.contains(&text) { words.get(index + 1).unwrap_or(word) } else { word };
                self.replace(Operator::DropFlag, before(self.source, word.start_byte())..end.end_byte(), "");
            } else if !text.is_empty() && text.chars().all(|character| character.is_ascii_digit()) {
                let other = text.parse::<u32>().map_or_else(|_| "1".to_owned(), |number| (number + 1).to_string());
                if name != "return" {
                    self.replace(Operator::ChangeNumber, word.byte_range(), other);
                }
            } else if ["word", "concatenation"].contains(&word.kind())
                && !["echo", "printf", "local", "declare", "set", "return"].contains(&name)
            {
                self.replace(Operator::ChangeName, word.end_byte()..word.end_byte(), "-other");
            }
        }
    }

    /// The condition of `if` and `while`, negated as a whole.
    fn condition(&mut self, node: Node<'_>) {
        if let Some(condition) = node.child_by_field_name("condition").filter(|condition| condition.kind() != "list") {
            let text = self.text(condition);
            self.replace(Operator::NegateTest, condition.byte_range(), format!("! {text}"));
        }
    }

    /// A part of `[[ ]]`.
    fn expression(&mut self, node: Node<'_>) {
        let operator = node.child_by_field_name("operator");
        let word = operator.map_or("", |operator| self.text(operator));
        let swapped = match word {
            "&&" => "||",
            "||" => "&&",
            "==" => "!=",
            "!=" => "==",
            _ => "",
        };
        if let Some(operator) = operator.filter(|_| !swapped.is_empty()) {
            self.replace(Operator::SwapConnective, operator.byte_range(), swapped);
        }
        if let Some(operator) = operator {
            self.test_of_a_file(operator);
        }
        if let Some(pattern) = children(node).into_iter().last().filter(|_| ["==", "=~"].contains(&word)) {
            self.anchors(pattern, if word == "=~" { ('^', '$') } else { ('*', '*') });
        }
        match word {
            "!" => {
                let operand = children(node).into_iter().last();
                if let Some(operand) = operand {
                    self.replace(Operator::NegateTest, node.byte_range(), self.text(operand));
                }
            }
            "&&" | "||" | "==" | "!=" => {}
            _ => self.replace(Operator::NegateTest, node.start_byte()..node.start_byte(), "! "),
        }
        if node.kind() == "unary_expression" && word != "!" && word.starts_with('-') {
            let operand = children(node).into_iter().last().filter(|operand| operand.kind() == "word");
            if let Some(operand) = operand {
                self.replace(Operator::ChangeName, operand.end_byte()..operand.end_byte(), "-other");
            }
        }
    }

    fn test_of_a_file(&mut self, operator: Node<'_>) {
        let other = match self.text(operator) {
            "-x" => "-r",
            "-f" | "-d" => "-e",
            "-e" => "-f",
            _ => return,
        };
        self.replace(Operator::ChangeTest, operator.byte_range(), other);
    }

    /// A pattern without what begins, or ends, it so.
    fn anchors(&mut self, pattern: Node<'_>, (first, last): (char, char)) {
        let (text, span) = (self.text(pattern), pattern.byte_range());
        if text.starts_with(first) {
            self.replace(Operator::ChangeAnchor, span.start..span.start + 1, "");
        }
        if text.ends_with(last) {
            self.replace(Operator::ChangeAnchor, span.end - 1..span.end, "");
        }
    }

    fn connectives(&mut self, node: Node<'_>) {
        for child in children(node) {
            match child.kind() {
                "&&" => self.replace(Operator::SwapConnective, child.byte_range(), "||"),
                "||" => self.replace(Operator::SwapConnective, child.byte_range(), "&&"),
                _ => {}
            }
        }
    }

    fn redirects(&mut self, node: Node<'_>) {
        let mut cursor = node.walk();
        let redirects: Vec<Node<'_>> = node.children_by_field_name("redirect", &mut cursor).collect();
        for redirect in redirects.into_iter().filter(|redirect| redirect.kind() == "file_redirect") {
            self.replace(Operator::DropRedirect, before(self.source, redirect.start_byte())..redirect.end_byte(), "");
        }
    }

    fn declaration(&mut self, node: Node<'_>) {
        if let Some(rest) = self.text(node).strip_prefix("export ") {
            // With quotes around it the name would be that of a program.
            self.replace(Operator::DropExport, node.byte_range(), format!("declare -g {rest}"));
        }
    }

    /// `${name%pattern}` and the like become `${name}`.
    fn expansion(&mut self, node: Node<'_>) {
        let text = self.text(node);
        let name = children(node).into_iter().find(|child| child.kind() == "variable_name").map(|name| self.text(name));
        if let Some(name) =
            name.filter(|name| text.starts_with(&format!("${{{name}")) && text != format!("${{{name}}}"))
        {
            self.replace(Operator::PlainExpansion, node.byte_range(), format!("${{{name}}}"));
        }
    }
}

fn children(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    node.children(&mut cursor).collect()
}

/// Where the white space before an offset begins.
fn before(source: &str, offset: usize) -> usize {
    source[..offset].trim_end_matches([' ', '\t']).len()
}
