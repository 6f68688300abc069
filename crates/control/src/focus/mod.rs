//! A month's charges as [FinOps FOCUS 1.2](https://focus.finops.org): from the store's charges to lines of CSV, a few at a time.

mod columns;
mod csv;
mod lines;
#[cfg(test)]
mod tests;

use std::vec::IntoIter;

use actix_web::web::Data;
use gatewright_store::{Charge, ChargePart, DatabaseError};
use gatewright_types::Month;
use gatewright_types::api::Organization;

use self::lines::Lines;
use crate::control::Control;

pub(crate) use self::columns::header;

/// How much is written before it is sent.
const PIECE: usize = 64 << 10;

/// What is still to be read and written.
pub(crate) struct Focus {
    control: Data<Control>,
    parts: IntoIter<ChargePart>,
    charges: IntoIter<Charge>,
    lines: Lines,
}

impl Focus {
    pub(crate) fn of(control: Data<Control>, organization: Organization, month: Month, parts: Vec<ChargePart>) -> Self {
        Self {
            control,
            parts: parts.into_iter(),
            charges: Vec::new().into_iter(),
            lines: Lines::of(organization, month),
        }
    }

    /// Some lines; nothing when all were written.
    pub(crate) async fn next(&mut self) -> Result<Option<String>, DatabaseError> {
        let mut text = String::new();
        while text.len() < PIECE {
            if let Some(charge) = self.charges.next() {
                self.lines.add(charge, &mut text);
                continue;
            }
            self.lines.settle(&mut text);
            let Some(part) = self.parts.next() else { break };
            let scope = self.control.db.organization(self.lines.organization());
            self.charges = scope.charges(&part).await?.into_iter();
        }
        Ok((!text.is_empty()).then_some(text))
    }
}
