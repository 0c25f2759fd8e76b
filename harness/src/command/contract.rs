//! `wsgi-proof contract`: the clauses, and which scenarios prove them.

use super::{Failure, select};
use crate::cli::ContractArgs;
use crate::place::Places;
use crate::verdict::ExitCode;

pub(super) fn contract(arguments: &ContractArgs) -> Result<ExitCode, Failure> {
    let places = Places::find(&arguments.place)?;
    let Some(contract) = select::load(&places.scenarios())?.1 else {
        return Err(Failure::usage("this suite has no contract", Some("scenarios/contract.toml is where it would be")));
    };
    if arguments.markdown {
        print!("{}", contract.markdown());
        return Ok(ExitCode::Pass);
    }
    for clause in &contract.clauses {
        println!("{:<9} {:<7} {}", clause.id, clause.level.word(), clause.says);
        let proofs = contract.proved_by(&clause.id);
        println!("{:<17} {}", "", if proofs.is_empty() { "(not proved)".to_owned() } else { proofs.join(", ") });
    }
    let proved = contract.clauses.iter().filter(|clause| !contract.proved_by(&clause.id).is_empty()).count();
    println!("{proved} of {} clauses are proved", contract.clauses.len());
    Ok(ExitCode::Pass)
}
