//! The grammar of markers since pip 22.

use std::borrow::Cow;

use super::{Evaluation, Operand, literal};
use crate::contract_tier::requirements::named::{Bad, Cursor, DEEPEST};

const OPERATORS: [&str; 8] = ["===", "==", "~=", "!=", "<=", ">=", "<", ">"];

impl<'a> Cursor<'a> {
    pub(in crate::contract_tier::requirements) fn marker(
        &mut self,
        depth: usize,
        found: &mut Evaluation,
    ) -> Result<(), Bad> {
        if depth > DEEPEST {
            return Err(Bad::Exception);
        }
        loop {
            self.spaces();
            if self.eat("(") {
                self.spaces();
                found.open();
                self.marker(depth + 1, found)?;
                found.close();
                self.spaces();
                if !self.eat(")") {
                    return Err(Bad::Syntax);
                }
            } else {
                self.comparison(found)?;
            }
            self.spaces();
            if self.word("or") {
                found.or();
            } else if !self.word("and") {
                return Ok(());
            }
        }
    }

    fn comparison(&mut self, found: &mut Evaluation) -> Result<(), Bad> {
        let left = self.operand()?;
        self.spaces();
        let operator = if self.word("not") {
            if !(self.spaces() && self.word("in")) {
                return Err(Bad::Syntax);
            }
            "not in"
        } else if self.word("in") {
            "in"
        } else {
            OPERATORS.into_iter().find(|one| self.eat(one)).ok_or(Bad::Syntax)?
        };
        self.spaces();
        let right = self.operand()?;
        self.spaces();
        found.compare(&left, operator, &right)
    }

    fn operand(&mut self) -> Result<Operand<'a>, Bad> {
        if let Some(name) = VARIABLES.into_iter().find(|variable| self.word(variable)) {
            return Ok(Operand::variable(name));
        }
        let rest = self.rest();
        let quote = rest.chars().next().filter(|first| ['"', '\''].contains(first)).ok_or(Bad::Syntax)?;
        let length = rest[1..].find(quote).ok_or(Bad::Syntax)?;
        self.at += length + 2;
        literal::value(&rest[1..=length]).map(|text| Operand::Text(Cow::Owned(text))).ok_or(Bad::Late)
    }
}

/// The variables of markers, with the dots that some are also written with.
const VARIABLES: [&str; 20] = [
    "python_version",
    "python_full_version",
    "os_name",
    "os.name",
    "sys_platform",
    "sys.platform",
    "platform_release",
    "platform_system",
    "platform_version",
    "platform.version",
    "platform_machine",
    "platform.machine",
    "platform_python_implementation",
    "platform.python_implementation",
    "python_implementation",
    "implementation_name",
    "implementation_version",
    "extras",
    "extra",
    "dependency_groups",
];
